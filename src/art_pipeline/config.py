"""Parameters come from one file, ``params.yaml``, which DVC reads as it is."""

from copy import deepcopy
from functools import cache, cached_property
from io import StringIO
from pathlib import Path
from typing import Any

import yaml
from kedro.config import MissingConfigException, OmegaConfigLoader
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from art_pipeline.errors import ParameterError


def read_parameters(path: Path) -> dict[str, Any]:
    """Read ``params.yaml``.

    Raises:
        ParameterError: It is not there, or not to be read.
    """
    return OmegaConf.to_container(_read(path), resolve=True)


def _read(path: Path) -> DictConfig:
    try:
        content = _parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ParameterError(f"params.yaml cannot be read: {error}") from error
    if not isinstance(content, DictConfig):
        raise ParameterError("params.yaml cannot be read: it holds no blocks of keys and values.")
    return content


@cache
def _parse(text: str) -> DictConfig | ListConfig:
    """Once a process: hooks, pipelines and nodes all ask."""
    return OmegaConf.load(StringIO(text))


class ParamsYamlConfigLoader(OmegaConfigLoader):
    """Kedro's loader, with ``params.yaml`` under what an environment and ``--params`` set."""

    def __getitem__(self, key: str) -> dict[str, Any]:
        """Configuration of a kind, such as ``parameters`` or ``catalog``."""
        return deepcopy(self._merged) if key == "parameters" else super().__getitem__(key)

    @cached_property
    def _merged(self) -> dict[str, Any]:
        base = _read(Path(self.conf_source).parent / "params.yaml")
        try:
            merged = OmegaConf.merge(base, self._parameters_of_environment(), self.runtime_params or {})
            return OmegaConf.to_container(merged, resolve=True)
        except (OmegaConfBaseException, yaml.YAMLError) as error:
            raise ParameterError(f"The parameters cannot be put together: {error}") from error

    def _parameters_of_environment(self) -> dict[str, Any]:
        folders = sorted(one.name for one in Path(self.conf_source).iterdir() if one.is_dir())
        if self.env and self.env not in folders:
            raise ParameterError(f"--env: there is no conf/{self.env}. There are: {', '.join(folders)}.")
        try:
            return super().__getitem__("parameters")
        except MissingConfigException:
            return {}
