"""Static files, named by their digest and compressed."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticFiles(CompressedManifestStaticFilesStorage):
    """As WhiteNoise's, without a look into the files: ours refer to no others, and Bootstrap's only to source maps."""

    patterns = ()
