"""Many images from S3 through Spark into the catalogue database on this machine; and writes over JDBC alone.

    python benchmarks/spark_catalogue.py prepare FOLDER --images IMAGES [--count N]
    python benchmarks/spark_catalogue.py extract FOLDER [--count N] [--features NAME …]
    python benchmarks/spark_catalogue.py jdbc FOLDER [--count N]
    python benchmarks/spark_catalogue.py nothing FOLDER

``prepare`` stores N images in an S3 server (SeaweedFS) and their rows in MariaDB, both in FOLDER: the files of IMAGES,
repeated, each with a comment of its own in the JPEG file, so that all have other digests. ``extract`` computes features
of N of them, in jobs of 4,096, with Spark, ``local[2]``, as ``spark-submit job.py --database`` does, and prints time,
memory over time, and requests and bytes that the S3 server counted. ``jdbc`` writes N rows of 2,048 bytes, the size of
GIST: appended to a table with a unique key, and appended to the staging table and moved by an upsert. ``nothing`` runs
the job again, with nothing new.
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path

import psutil
import pymysql
import requests

from art_pipeline.common.batches import batched
from art_pipeline.common.concurrency import map_ordered
from art_pipeline.distributed.database import FEATURES, Database, FeatureTable, open_table
from art_pipeline.distributed.features import CHUNK
from art_pipeline.distributed.job import ARTWORK_KEY, JDBC_JAR, extract_to_database
from art_pipeline.distributed.session import start_spark
from art_pipeline.dvc import s3_server
from art_pipeline.dvc.s3_server import BUCKET, Identity, free_ports, serving
from art_pipeline.features.colour_moments import ColourMomentsOptions
from art_pipeline.features.gist import GistOptions
from art_pipeline.features.image_metadata import ImageMetadataOptions
from art_pipeline.features.sift import SiftOptions

BLOCKS = {
    "sift": SiftOptions(),
    "colour_moments": ColourMomentsOptions(),
    "gist": GistOptions(),
    "image_metadata": ImageMetadataOptions(),
}
IDENTITY = Identity("art", "benchmark", "secret-of-a-benchmark")
MEDIA = f"s3://{BUCKET}/media"
SAMPLE = 5  # seconds between two looks at the memory
BATCH, UPLOADS = 1000, 8
IMAGE = (
    "INSERT INTO catalogue_image (digest, width, height, mode, channels, source_width, source_height, bytes) VALUES "
)


def main() -> None:
    """Run one of the commands."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["prepare", "extract", "jdbc", "nothing"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=Path)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--features", nargs="+", choices=BLOCKS, default=["colour_moments", "image_metadata"])
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    with mariadb(options.folder.resolve()) as database:
        {"prepare": prepare, "extract": extract, "jdbc": jdbc, "nothing": nothing}[options.command](database, options)


@contextmanager
def mariadb(folder: Path) -> Iterator[Database]:
    """Start MariaDB with the database of the web page."""
    data, (port,) = folder / "mariadb", free_ports(1)
    program = shutil.which("mariadbd", path=f"{os.environ['PATH']}:/usr/sbin")
    temporary = folder / "temporary"  # a server that starts deletes the temporary tables of others in a shared one
    temporary.mkdir(parents=True, exist_ok=True)
    where = ["--no-defaults", f"--datadir={data}", f"--tmpdir={temporary}", "--user=root"]
    if not data.exists():
        install = ["mariadb-install-db", *where, "--auth-root-authentication-method=normal", "--skip-test-db"]
        subprocess.run(install, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    listen = [f"--socket={data}/s.sock", "--bind-address=127.0.0.1", f"--port={port}"]
    large = ["--innodb-buffer-pool-size=1G", "--innodb-log-file-size=512M", "--max-allowed-packet=64M"]
    with subprocess.Popen([program, *where, *listen, *large], stderr=subprocess.DEVNULL) as server:
        try:
            yield page_database(port, folder)
        finally:
            server.terminate()


def page_database(port: int, folder: Path) -> Database:
    """Wait for the server, and create or update the tables of the web page."""
    for _ in range(600):
        try:
            connection = pymysql.connect(host="127.0.0.1", port=port, user="root")
        except pymysql.MySQLError:
            time.sleep(0.1)
        else:
            break
    with connection, connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE IF NOT EXISTS museum CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
        cursor.execute("CREATE USER IF NOT EXISTS art IDENTIFIED BY 'secret'")
        cursor.execute("GRANT ALL ON museum.* TO art")
    address = f"mysql://art:secret@127.0.0.1:{port}/museum"
    os.environ |= {"DATABASE_URL": address, "ART_PIPELINE_WEB": str(folder / "web")}
    from art_pipeline.web.command import prepare

    prepare(Path.cwd())
    return Database.of(address)


@contextmanager
def s3(folder: Path) -> Iterator[str]:
    """Start the S3 server; yield the address of its counters."""
    port, metrics = free_ports(2)
    plain = s3_server._arguments
    s3_server._arguments = lambda *values: [*plain(*values), f"-metricsPort={metrics}"]
    os.environ |= {
        "AWS_ACCESS_KEY_ID": IDENTITY.key,
        "AWS_SECRET_ACCESS_KEY": IDENTITY.secret,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
    }
    with serving(folder / "s3", port, [IDENTITY]):
        yield f"http://127.0.0.1:{metrics}/metrics"


def connect(database: Database) -> pymysql.Connection:
    """Connect to the database."""
    login = {"user": database.user, "password": database.password, "database": database.name}
    return pymysql.connect(host=database.host, port=database.port, autocommit=True, **login)


def prepare(database: Database, options: argparse.Namespace) -> None:
    """Store images and their rows; what is there from an interrupted call is stored again."""
    import boto3

    bodies = [file.read_bytes() for file in sorted(options.images.iterdir())]
    with s3(options.folder.resolve()), connect(database) as connection, connection.cursor() as cursor:
        client = boto3.client("s3")

        def put(item: tuple[int, bytes]) -> tuple[str, int]:
            body = with_comment(item[1], str(item[0]))
            digest = hashlib.sha256(body).hexdigest()
            key = f"media/{ARTWORK_KEY.format(start=digest[:2], digest=digest)}"
            client.put_object(Bucket=BUCKET, Key=key, Body=body)
            return digest, len(body)

        images = islice(enumerate(cycle(bodies)), options.count)
        for rows in batched(map_ordered(put, images, UPLOADS), BATCH):
            cursor.executemany(f"{IMAGE}(%s, 400, 300, 'RGB', 3, 400, 300, %s)", rows)
    print(f"{options.count:,} images are stored.")


def with_comment(jpeg: bytes, text: str) -> bytes:
    """Return a JPEG file with a comment, which changes no pixel."""
    comment = text.encode()
    return jpeg[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + jpeg[2:]


def extract(database: Database, options: argparse.Namespace) -> None:
    """Compute features of all images, and print what it took."""
    blocks = {name: BLOCKS[name] for name in options.features}
    every, jobs = FeatureTable.missing, -(-options.count // CHUNK)
    FeatureTable.missing = lambda *values: islice(every(*values), jobs)
    with s3(options.folder.resolve()) as counters, memory() as samples:
        spark = start_spark("local[2]", [Path(JDBC_JAR)])
        before, start = counted(counters), time.perf_counter()
        receipt = extract_to_database(spark, database, blocks, MEDIA, 120)
        seconds, found = time.perf_counter() - start, counted(counters)
        spark.stop()
    count = sum(receipt["images"].values())
    print(f"{count:,} images, {', '.join(blocks)}: {seconds:.0f} s, {count / seconds:.1f} images a second.")
    print(f"Status: {receipt['images']}. {receipt['kinds']}")
    with connect(database) as connection, connection.cursor() as cursor:
        images = f"SELECT image_id FROM {FEATURES}"
        cursor.execute(f"SELECT SUM(bytes) FROM catalogue_image WHERE id IN ({images})")
        (size,) = cursor.fetchone()
    print(f"S3: {found[0] - before[0]:,} GETs, {(found[1] - before[1]) / 1e6:,.0f} MB of {int(size) / 1e6:,.0f} MB.")
    print("\n| of the time | driver, Python | Java | Python workers | MariaDB | S3 server |\n|---|---|---|---|---|---|")
    for share in (10, 25, 50, 75, 100):
        row = samples[min(len(samples) - 1, len(samples) * share // 100)]
        print(f"| {share} % | {' | '.join(f'{one:,.0f} MB' for one in row)} |")
    print(f"| peak | {' | '.join(f'{max(column):,.0f} MB' for column in zip(*samples, strict=True))} |")


@contextmanager
def memory() -> Iterator[list[list[float]]]:
    """Take samples of the resident memory of all processes, in MB, by what they do."""
    samples, done = [], threading.Event()

    def take() -> None:
        while not done.wait(SAMPLE):
            samples.append(resident())

    thread = threading.Thread(target=take)
    thread.start()
    try:
        yield samples
    finally:
        done.set()
        thread.join()


def resident() -> list[float]:
    """Return the memory of driver, Java, Python workers, MariaDB and the S3 server, in MB."""
    own = psutil.Process()
    sizes = {"driver": own.memory_info().rss, "java": 0, "python": 0, "mariadbd": 0, "weed": 0}
    for one in own.children(recursive=True):
        try:
            name, size = one.name(), one.memory_info().rss
        except psutil.Error:
            continue
        kind = next((kind for kind in sizes if name.startswith(kind)), None)
        if kind:
            sizes[kind] += size
    return [size / 1e6 for size in sizes.values()]


def counted(counters: str) -> tuple[float, float]:
    """Return the GETs of the S3 server, and the bytes that it sent."""
    text = requests.get(counters, timeout=10).text
    gets = re.findall(r'^SeaweedFS_s3_request_total\{[^}]*type="GET"[^}]*\} (\S+)', text, re.M)
    sent = re.findall(r"^SeaweedFS_s3_bucket_traffic_sent_bytes_total\{[^}]*\} (\S+)", text, re.M)
    return sum(map(float, gets)), sum(map(float, sent))


def jdbc(database: Database, options: argparse.Namespace) -> None:
    """Write rows in three ways, and print rows a second."""
    spark = start_spark("local[2]", [Path(JDBC_JAR)])
    with connect(database) as connection, connection.cursor() as cursor, open_table(database) as table:
        cursor.execute("SELECT MIN(id), COUNT(*) FROM catalogue_image")
        first, images = cursor.fetchone()
        count = min(options.count, images)
        columns = ["id image_id", "'benchmark' kind", "1 version", "'float32' dtype", "1 `rows`", "512 length"]
        data = "unhex(repeat(md5(cast(id as string)), 128)) data"
        rows = spark.range(first, first + count, 1, 16).selectExpr(*columns, data)
        rows.persist().count()
        table.stage(rows.limit(100))  # the first write loads the driver
        table.publish()
        for _ in range(2):
            measure_writes(table, rows, count, database, cursor)


def measure_writes(
    table: FeatureTable, rows: object, count: int, database: Database, cursor: pymysql.cursors.Cursor
) -> None:
    """Write rows by each way into a table without them."""
    deletion = f"DELETE FROM {FEATURES} WHERE kind = 'benchmark'"
    cursor.execute(deletion)
    plain = clock(lambda: rows.write.jdbc(database.jdbc, FEATURES, mode="append", properties=database.properties))
    cursor.execute(deletion)
    staged, inserted = clock(lambda: table.stage(rows)), clock(table.publish)
    table.stage(rows)
    updated = clock(table.publish)
    cursor.execute(deletion)
    ways = {"append to the table": plain, "append to staging": staged, "upsert of new rows": inserted}
    ways |= {"append to staging and upsert": staged + inserted, "upsert of the same rows again": updated}
    for way, seconds in ways.items():
        print(f"| {way} | {seconds:.1f} s | {count / seconds:,.0f} rows a second |")


def clock(work: object) -> float:
    """Return the seconds that a function takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def nothing(database: Database, options: argparse.Namespace) -> None:
    """Run the job where nothing is new."""
    blocks = {name: BLOCKS[name] for name in options.features}
    spark = start_spark("local[2]", [Path(JDBC_JAR)])
    start = time.perf_counter()
    receipt = extract_to_database(spark, database, blocks, MEDIA, 120)
    print(f"{receipt['images']} images to do, {time.perf_counter() - start:.1f} s; {receipt['kinds']}")


if __name__ == "__main__":
    main()
