"""Features in the catalogue database, written over JDBC.

Tasks append rows to a staging table without a unique key, so that a task that is tried again may insert a row twice.
One statement then moves them to the table of features, where a row per image and kind is unique: it may be repeated,
and a killed job leaves neither duplicates nor gaps. Images that have their features are not computed again.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from art_pipeline.common.mysql_address import MysqlAddress
from art_pipeline.errors import DistributedError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

IMAGES, FEATURES, STAGING = "catalogue_image", "catalogue_feature", "art_pipeline_staging_feature"
COLUMNS = {
    IMAGES: ("id", "digest"),
    FEATURES: ("image_id", "kind", "version", "dtype", "rows", "length", "data"),
}
DRIVER = "org.mariadb.jdbc.Driver"
BATCH = 100  # rows that a task sends at once
LOCK = "art_pipeline_features_"  # and a digest of the database's name, as a server has one set of locks


class Database(MysqlAddress):
    """Address of the catalogue database."""

    @classmethod
    def of(cls, address: str) -> Self:
        """Parse an address as in ``DATABASE_URL`` of the web page.

        Raises:
            DistributedError: It is not such an address.

        >>> Database.of("mysql://art:secret@127.0.0.1:3307/catalogue").jdbc
        'jdbc:mysql://127.0.0.1:3307/catalogue?rewriteBatchedStatements=true'
        """
        try:
            return cls.parse(address)
        except ValueError:  # whose text may hold a part of the password
            message = "The address of the database must be mysql://user:password@host:port/name."
            raise DistributedError(message) from None

    @property
    def shown(self) -> str:
        """The address without user and password."""
        return f"mysql://{self.host}:{self.port}/{self.name}"

    @property
    def jdbc(self) -> str:
        """The address for Java; Spark's dialect for MySQL needs this scheme, which the driver of MariaDB takes too."""
        return f"jdbc:mysql://{self.host}:{self.port}/{self.name}?rewriteBatchedStatements=true"

    @property
    def properties(self) -> dict[str, str]:
        """User, password and driver, as Spark takes them."""
        return {"user": self.user, "password": self.password, "driver": DRIVER, "batchsize": str(BATCH)}


@dataclass(frozen=True)
class Kind:
    """Features of one extractor in the database.

    Attributes:
        name: Name of the block in params.yaml.
        version: Version of the extractor.
        dtype: NumPy's name of the type of the values.
        length: Length of a row.
    """

    name: str
    version: int
    dtype: str
    length: int


class FeatureTable:
    """The table of features, and its staging table.

    Args:
        database: The database.
        connection: A connection to it.
    """

    def __init__(self, database: Database, connection: Any):
        self._database, self._connection = database, connection

    def prepare(self) -> None:
        """Check the tables, and empty the staging table of an interrupted job.

        Raises:
            DistributedError: A table is missing or has other columns, or another job writes to it.
        """
        (free,) = self._fetch("SELECT GET_LOCK(CONCAT(%s, MD5(DATABASE())), 0)", LOCK)[0]
        if not free:
            raise DistributedError(f"Another job writes features to {self._database.shown}. Wait until it ends.")
        for table, columns in COLUMNS.items():
            self._require(table, columns)
        selected = ", ".join(f"`{one}`" for one in COLUMNS[FEATURES])
        self._execute(f"CREATE TABLE IF NOT EXISTS {STAGING} AS SELECT {selected} FROM {FEATURES} WHERE FALSE")
        self._execute(f"TRUNCATE {STAGING}")

    def missing(self, kinds: Sequence[Kind], size: int) -> Iterator[dict[int, str]]:
        """Yield the digests of images that lack a kind of features, by id; at most ``size`` at a time."""
        last, wanted = 0, _condition(kinds)
        while True:
            rows = self._fetch(
                f"SELECT i.id, i.digest FROM {IMAGES} i WHERE i.id > %s AND "
                f"(SELECT COUNT(*) FROM {FEATURES} f WHERE f.image_id = i.id AND {wanted}) < %s ORDER BY i.id LIMIT %s",
                last,
                *_values(kinds),
                len(kinds),
                size,
            )
            if not rows:
                return
            last = rows[-1][0]
            yield dict(rows)

    def stage(self, rows: "DataFrame") -> None:
        """Append rows to the staging table, from the workers; their columns are those of the table."""
        rows.write.jdbc(self._database.jdbc, STAGING, mode="append", properties=self._database.properties)

    def publish(self) -> None:
        """Move the staged rows to the table of features; those of images that were deleted meanwhile are dropped."""
        columns = COLUMNS[FEATURES]
        names, values = ", ".join(f"`{one}`" for one in columns), ", ".join(f"s.`{one}`" for one in columns)
        updates = ", ".join(f"`{one}` = VALUES(`{one}`)" for one in columns[2:])
        self._execute(
            f"INSERT INTO {FEATURES} ({names}) SELECT {values} FROM {STAGING} s JOIN {IMAGES} i ON i.id = s.image_id "
            f"ON DUPLICATE KEY UPDATE {updates}"
        )
        self._execute(f"TRUNCATE {STAGING}")

    def receipt(self, kinds: Sequence[Kind]) -> dict[str, Any]:
        """Return table, rows and checksum of kinds of features; the checksum does not depend on order or ids."""
        content = "CONCAT_WS('|', i.digest, f.kind, f.version, f.dtype, f.`rows`, f.length, MD5(f.data))"
        number = f"CAST(CONV(LEFT(MD5({content}), 16), 16, 10) AS UNSIGNED)"
        found = self._fetch(
            f"SELECT f.kind, COUNT(*), BIT_XOR({number}) FROM {FEATURES} f JOIN {IMAGES} i ON i.id = f.image_id "
            f"WHERE {_condition(kinds)} GROUP BY f.kind ORDER BY f.kind",
            *_values(kinds),
        )
        by_kind = {kind: {"rows": int(count), "checksum": f"{int(checksum):016x}"} for kind, count, checksum in found}
        return {"database": self._database.name, "table": FEATURES, "kinds": by_kind}

    def _require(self, table: str, columns: Sequence[str]) -> None:
        query = "SELECT column_name FROM information_schema.columns WHERE table_schema = %s AND table_name = %s"
        found = {name for (name,) in self._fetch(query, self._database.name, table)}
        if missing := [one for one in columns if one not in found]:
            what = f"has no column {missing[0]!r}" if found else "does not exist"
            raise DistributedError(
                f"The table {table} of {self._database.shown} {what}: the database is of another version. Run the "
                "migrations of the web page."
            )

    def _fetch(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with database_errors(self._database), self._connection.cursor() as cursor:
            cursor.execute(query, values)
            return list(cursor.fetchall())

    def _execute(self, query: str) -> None:
        with database_errors(self._database), self._connection.cursor() as cursor:
            cursor.execute(query)
        self._connection.commit()


@contextmanager
def open_table(database: Database) -> Iterator[FeatureTable]:
    """Connect to the database, and prepare its tables.

    Raises:
        DistributedError: See `FeatureTable.prepare`; or the database does not answer, or refuses the user.
    """
    import pymysql

    login: Mapping[str, Any] = {"user": database.user, "password": database.password, "database": database.name}
    with database_errors(database):
        connection = pymysql.connect(host=database.host, port=database.port, charset="utf8mb4", **login)
    try:
        table = FeatureTable(database, connection)
        table.prepare()
        yield table
    finally:
        if connection.open:
            connection.close()


@contextmanager
def database_errors(database: Database) -> Iterator[None]:
    """Turn errors of the database into one message.

    Raises:
        DistributedError: In place of errors of pymysql.
    """
    import pymysql

    try:
        yield
    except pymysql.MySQLError as error:
        reason = error.args[1] if len(error.args) > 1 else error
        raise DistributedError(f"The database {database.shown} cannot be used: {reason}.") from error


def _condition(kinds: Sequence[Kind]) -> str:
    return "(" + " OR ".join(["(f.kind = %s AND f.version = %s)"] * len(kinds)) + ")"


def _values(kinds: Sequence[Kind]) -> list[object]:
    return [value for kind in kinds for value in (kind.name, kind.version)]
