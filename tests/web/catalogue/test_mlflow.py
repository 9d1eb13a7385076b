"""Import of a model of MLflow whose artifacts are in a bucket of an S3 server."""

import pytest
from tests.servers import s3
from tests.web.uploads.image_bytes import encoded

from art_pipeline.dvc.s3_server import BUCKET
from art_pipeline.errors import TrackingError
from art_pipeline.tracking.models import log_model
from art_pipeline.web.catalogue.importer import import_models, import_run
from art_pipeline.web.catalogue.mlflow import files_of
from art_pipeline.web.catalogue.models import Artwork, Prediction, TrainedModel
from art_pipeline.web.catalogue.run_folder import RunFolder
from art_pipeline.web.predictors import Predictors

pytestmark = pytest.mark.services
MODEL = "first_svm"


@pytest.fixture
def bucket(tmp_path, monkeypatch):
    """The environment of an S3 server."""
    with s3(tmp_path / "s3") as variables:
        for name, value in variables.items():
            if name != "MEDIA_URL":
                monkeypatch.setenv(name, value)
        yield


@pytest.fixture
def address(trained, bucket, tmp_path, monkeypatch):
    """Address of a model whose run keeps all its files in the bucket."""
    import mlflow

    store = f"sqlite:///{tmp_path}/mlruns/mlflow.db"
    (tmp_path / "mlruns").mkdir()
    monkeypatch.setattr("mlflow.tracking._tracking_service.utils._tracking_uri", store)
    experiment = mlflow.create_experiment("art_pipeline/department", artifact_location=f"s3://{BUCKET}/mlruns")
    reporting = trained / "08_reporting" / MODEL
    with mlflow.start_run(experiment_id=experiment):
        for file in (reporting / "metrics.json", reporting / "selective.csv"):
            mlflow.log_artifact(str(file))
        mlflow.log_artifact(str(trained / "07_model_output" / MODEL / "predictions.parquet"))
        mlflow.log_artifact(str(reporting / "lineage.json"), "lineage")
        example = next((trained / "02_intermediate/images").glob("*.jpg"))
        return f"models:/{log_model(MODEL, trained / '06_models' / MODEL, example, {}, reporting / 'selective.csv')}"


def test_a_model_of_mlflow_in_s3_is_imported_and_predicts(address, trained, client, tmp_path):
    from tests.web.run_folder import TASKS

    before = dict(Prediction.objects.filter(model__name=MODEL).values_list("artwork__key", "probability"))
    TrainedModel.objects.filter(name=MODEL).delete()
    import_models([files_of(tmp_path, address)])
    model = TrainedModel.objects.get(name=MODEL)
    assert (model.address, model.is_current) == (address, True)
    assert dict(model.predictions.values_list("artwork__key", "probability")) == before
    assert MODEL in client.get(Artwork.objects.get(key="101").get_absolute_url()).content.decode()
    assert client.get(f"/models/{MODEL}/").status_code == 200
    predicted, local = (Predictors().of(one).predict(encoded()) for one in (model, _of_folder(model)))
    assert predicted == local
    import_run(RunFolder(trained, TASKS))  # of the same training: its own folder takes the place of MLflow's
    assert TrainedModel.objects.get(name=MODEL, is_current=True).predictions.count() == len(before)
    with pytest.raises(TrackingError, match="models:/m-0123"):
        files_of(tmp_path, "models:/m-0123")


def _of_folder(model):
    return TrainedModel(
        name=model.name, record=model.record, address=f"06_models/{MODEL}", data="data", thresholds=model.thresholds
    )
