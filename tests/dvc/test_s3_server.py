"""The S3 server's settings; its service is tested in tests/e2e/test_remote.py."""

import pytest

from art_pipeline.dvc.s3_server import Identity, serving
from art_pipeline.errors import RemoteError


def test_a_port_that_leaves_none_for_the_servers_own_is_named(tmp_path):
    message = r"Port 55536 is too high: SeaweedFS also uses 65536\. Choose up to 55535\."
    with pytest.raises(RemoteError, match=message), serving(tmp_path, 55_536, [Identity("art", "key", "secret")]):
        pass
