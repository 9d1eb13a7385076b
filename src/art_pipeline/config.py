"""Parameters come from one file, ``params.yaml``, which DVC reads as it is."""

from pathlib import Path
from typing import Any

import yaml
from kedro.config import MissingConfigException, OmegaConfigLoader
from omegaconf import DictConfig, OmegaConf

from art_pipeline.errors import ParameterError


def _read(path: Path) -> DictConfig:
    try:
        return OmegaConf.load(path)
    except (OSError, yaml.YAMLError) as error:
        raise ParameterError(f"params.yaml cannot be read: {error}") from error


class ParamsYamlConfigLoader(OmegaConfigLoader):
    """Kedro's loader, with ``params.yaml`` under what an environment and ``--params`` set."""

    def __getitem__(self, key: str) -> dict[str, Any]:
        """Configuration of a kind, such as ``parameters`` or ``catalog``."""
        if key != "parameters":
            return super().__getitem__(key)
        base = _read(Path(self.conf_source).parent / "params.yaml")
        merged = OmegaConf.merge(base, self._parameters_of_environment(), self.runtime_params or {})
        return OmegaConf.to_container(merged, resolve=True)

    def _parameters_of_environment(self) -> dict[str, Any]:
        folders = sorted(one.name for one in Path(self.conf_source).iterdir() if one.is_dir())
        if self.env and self.env not in folders:
            raise ParameterError(f"--env: there is no conf/{self.env}. There are: {', '.join(folders)}.")
        try:
            return super().__getitem__("parameters")
        except MissingConfigException:
            return {}
