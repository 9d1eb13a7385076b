"""Background jobs: exactly one result, whatever happens to workers."""

from unittest.mock import Mock

import pytest
from django.db.utils import InterfaceError, OperationalError, ProgrammingError
from django.urls import reverse
from django_tasks_db.models import DBTaskResult
from tests.web.jobs.worker import age, run_delayed, run_jobs

from art_pipeline.web.jobs.kinds import KINDS
from art_pipeline.web.jobs.management.commands import work
from art_pipeline.web.jobs.models import Job, State
from art_pipeline.web.jobs.queue import MAX_ATTEMPTS, restart_lost, start
from art_pipeline.web.jobs.running import JobLostError, Running

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def kinds(monkeypatch):
    for name in ("double", "fail", "crash", "away", "away_once", "lose"):
        monkeypatch.setitem(KINDS, name, f"tests.web.jobs.work.{name}")


def begin(kind="double", key="double 21", **values):
    return start(kind, key, title="Double", arguments={"number": 21}, **values)


def claim(job):
    return Running.claim(str(job.pk), str(job.task))


def test_a_job_is_run_once_however_often_it_is_started():
    assert begin() == begin()
    run_jobs()
    job = begin()
    assert (job.state, job.result, job.attempts) == (State.DONE, {"number": 42}, 1)
    assert not DBTaskResult.objects.filter(status="READY").exists()


def test_a_job_that_is_done_starts_again_on_request():
    begin()
    run_jobs()
    job = begin(again=True)
    assert job.state == State.WAITING
    run_jobs()
    assert Job.objects.get(pk=job.pk).state == State.DONE


@pytest.mark.parametrize(
    ("kind", "error"), [("fail", "The model is damaged. Train it again."), ("crash", "Internal error: KeyError")]
)
def test_a_job_that_fails_says_why_and_starts_again_on_request(kind, error):
    job = begin(kind)
    run_jobs()
    job.refresh_from_db()
    assert job.state == State.FAILED
    assert job.error.startswith(error)
    assert "secret" not in job.error
    assert begin(kind).state == State.WAITING


def test_a_job_is_tried_again_while_the_database_or_the_storage_is_away():
    job = begin("away_once")
    run_jobs()
    assert Job.objects.get(pk=job.pk).state == State.WAITING
    run_delayed()
    job.refresh_from_db()
    assert (job.state, job.result, job.attempts) == (State.DONE, {"number": 42}, 2)


def test_a_job_is_given_up_in_the_end():
    job = begin("away")
    run_delayed()
    job.refresh_from_db()
    assert (job.state, job.attempts) == (State.FAILED, MAX_ATTEMPTS)


def test_a_job_whose_worker_died_starts_again():
    job = begin()
    claim(job)
    DBTaskResult.objects.update(status="RUNNING")
    assert restart_lost() == 0
    age(job)
    assert restart_lost() == 1
    assert restart_lost() == 0
    run_jobs()
    job.refresh_from_db()
    assert (job.state, job.result, job.attempts) == (State.DONE, {"number": 42}, 2)


def test_a_job_whose_worker_died_before_it_began_starts_again():
    job = begin()
    DBTaskResult.objects.update(status="RUNNING")
    age(job)
    assert restart_lost() == 1


def test_a_job_that_waits_for_long_is_not_lost():
    age(begin())
    assert restart_lost() == 0


def test_a_job_that_kills_its_workers_is_given_up():
    job = begin()
    for _ in range(MAX_ATTEMPTS):
        job.refresh_from_db()
        claim(job)
        DBTaskResult.objects.filter(id=job.task).update(status="RUNNING")
        age(job)
        restart_lost()
    job.refresh_from_db()
    assert job.state == State.FAILED
    assert "5 times" in job.error


def test_only_one_worker_has_a_job():
    job = begin()
    assert claim(job) is not None
    assert claim(job) is None


def test_a_worker_that_lost_its_job_writes_nothing():
    job = begin("lose")
    run_jobs()
    job.refresh_from_db()
    assert (job.state, job.result, job.attempts) == (State.DONE, {"number": 7}, 2)


def test_a_result_is_saved_by_the_worker_that_has_the_job():
    job = begin()
    running = claim(job)
    age(job)
    DBTaskResult.objects.update(status="RUNNING")
    restart_lost()
    with pytest.raises(JobLostError), running.saving():
        pytest.fail("it has lost the job")


class Ended(BaseException):
    """What ends a thread of these tests."""


def fails(*errors):
    """Return a function that raises an error at each call, in turn."""
    left = iter(errors)

    def fail(*_, **__):
        raise next(left)

    return fail


@pytest.mark.parametrize("error", [InterfaceError("closed"), ProgrammingError("no such table"), KeyError("a fault")])
def test_an_error_ends_neither_the_search_for_jobs_nor_the_signs_of_life(monkeypatch, error):
    running = claim(begin())
    monkeypatch.setattr(work, "SWEEP", 0)
    monkeypatch.setattr(work, "sweep", fails(error, error, Ended()))
    monkeypatch.setattr(work, "connection", Mock())
    with pytest.raises(Ended):
        work._sweep()
    monkeypatch.setattr(Running, "_own", fails(error, error, Ended()))
    monkeypatch.setattr("art_pipeline.web.jobs.running.connection", Mock())
    with pytest.raises(Ended):
        running._beat(Mock(**{"wait.return_value": False}))


@pytest.mark.parametrize("error", [InterfaceError("closed"), OperationalError("gone away")])
def test_a_worker_waits_for_a_database_that_is_away(monkeypatch, error):
    monkeypatch.setattr(work, "call_command", fails(error))
    assert not work._work("*", batch=True)


def test_the_state_as_json_and_as_a_page(as_cataloguer, cataloguer):
    job = begin(user=cataloguer, address="/models/")
    found = as_cataloguer.get(job.get_absolute_url(), headers={"Accept": "application/json"}).json()
    assert (found["state"], found["is_finished"], found["address"]) == ("waiting", False, "/models/")
    assert "waiting for a worker" in found["html"]
    run_jobs()
    found = as_cataloguer.get(job.get_absolute_url(), headers={"Accept": "application/json"}).json()
    assert (found["state"], found["is_finished"]) == ("done", True)
    assert 'href="/models/"' in as_cataloguer.get(job.get_absolute_url()).content.decode()


@pytest.mark.parametrize("public", [True, False])
def test_who_sees_a_job(client, as_cataloguer, viewer, public):
    job = begin(user=None, is_public=public)
    client.force_login(viewer)
    assert client.get(job.get_absolute_url()).status_code == (200 if public else 404)
    client.logout()
    assert client.get(job.get_absolute_url()).status_code == (200 if public else 404)


@pytest.mark.parametrize("forged", ["1", "../../etc", "00000000-0000-0000-0000-000000000000"])
def test_a_forged_id_is_not_found(client, forged):
    assert client.get(f"/jobs/{forged}/").status_code == 404


def test_a_job_is_only_read(as_cataloguer, cataloguer):
    assert as_cataloguer.post(reverse("jobs:job", args=[begin(user=cataloguer).pk])).status_code == 405
