"""Config loader: parameters come from ``params.yaml``, which DVC reads too."""

from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from functools import cache, cached_property
from io import StringIO
from pathlib import Path
from typing import Any, cast

import yaml
from kedro.config import MissingConfigException, OmegaConfigLoader
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from art_pipeline.errors import ParameterError


def read_parameters(path: Path) -> dict[str, Any]:
    """Read ``params.yaml``.

    Raises:
        ParameterError: The file is missing, cannot be parsed, or has an invalid ``${…}`` reference.
    """
    return _resolve(_read(path))


def find_written(files: Iterable[Path], key: str) -> str | None:
    """Return a value as written in the file, where YAML reads ``NO`` as false and ``0123`` as 83.

    Args:
        files: YAML files; the last one that has the key wins.
        key: Key with dots, such as ``subset.classes.names.1``.

    Returns:
        The text of an unquoted value; None for other values, and if no file has the key.
    """
    nodes = [_find_node(yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader), key) for file in files]
    found = [node for node in nodes if node is not None]
    return found[-1].value if found and isinstance(found[-1], yaml.ScalarNode) and found[-1].style is None else None


def _find_node(node: yaml.Node | None, key: str) -> yaml.Node | None:
    for part in key.split("."):
        if isinstance(node, yaml.MappingNode):
            node = next((value for name, value in reversed(node.value) if name.value == part), None)
        elif isinstance(node, yaml.SequenceNode) and part.isdecimal():
            node = dict(enumerate(node.value)).get(int(part))
        else:
            return None
    return node


def _resolve(config: DictConfig | ListConfig) -> dict[str, Any]:
    """Resolve ``${…}`` references."""
    try:
        return cast(dict[str, Any], OmegaConf.to_container(config, resolve=True))
    except OmegaConfBaseException as error:
        raise _reference_error(error) from error


def _reference_error(error: OmegaConfBaseException) -> ParameterError:
    key, reason = error.full_key or "params.yaml", str(error).splitlines()[0]
    return ParameterError(f"{key}: {reason}. ${{…}} refers to another key; for the literal text, write \\${{…}}.")


def _read(path: Path, name: str = "params.yaml") -> DictConfig:
    try:
        content = _parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, RecursionError, yaml.YAMLError) as error:
        raise ParameterError(f"{name} cannot be read: {error}") from error
    except OmegaConfBaseException as error:
        raise _reference_error(error) from error
    if not isinstance(content, DictConfig):
        raise ParameterError(f"{name} cannot be read: it is not a mapping of keys and values.")
    return content


@cache
def _parse(text: str) -> DictConfig | ListConfig:
    """Parse YAML, once per process: hooks, pipelines and nodes all read the parameters."""
    return OmegaConf.load(StringIO(text))


def merge(base: DictConfig, changes: Mapping[str, Any]) -> DictConfig:
    """Merge parameters; a list replaces a list, and a block with numbers as keys changes elements of it.

    >>> base = OmegaConf.create({"sources": [{"source": "met", "seed": 0}]})
    >>> merge(base, {"sources": {"0": {"seed": 1}}})
    {'sources': [{'source': 'met', 'seed': 1}]}
    """
    blocks = deepcopy(dict(changes))
    elements = list(_pop_elements(base, blocks))
    merged = cast(DictConfig, OmegaConf.merge(base, blocks))
    for key, number, change in elements:
        items = OmegaConf.select(merged, key)
        if not str(number).isdecimal() or int(number) >= len(items):
            raise ParameterError(
                f"{key} is a list of {len(items)}, so {key}.{number} cannot be set. Its first element is {key}.0."
            )
        OmegaConf.update(merged, f"{key}.{number}", change)
    return merged


def _pop_elements(base: DictConfig, changes: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Remove changes of a list's elements; yield the list's key, the number and the change."""
    for name, change in list(changes.items()):
        before = base.get(name) if name in base else None
        if isinstance(change, Mapping) and isinstance(before, ListConfig):
            yield from ((f"{prefix}{name}", number, value) for number, value in changes.pop(name).items())
        elif isinstance(change, dict) and isinstance(before, DictConfig):
            yield from _pop_elements(before, change, f"{prefix}{name}.")


class ParamsYamlConfigLoader(OmegaConfigLoader):
    """Kedro's loader with ``params.yaml`` as the base; the environment and ``--params`` override it."""

    def __getitem__(self, key: str) -> dict[str, Any]:
        """Return one kind of configuration, such as ``parameters`` or ``catalog``."""
        return deepcopy(self._merged) if key == "parameters" else super().__getitem__(key)

    @cached_property
    def _merged(self) -> dict[str, Any]:
        base = _read(Path(self.conf_source).parent / "params.yaml")
        try:
            merged = merge(merge(base, self._environment_parameters(base)), self.runtime_params or {})
        except OmegaConfBaseException as error:
            raise _reference_error(error) from error
        except yaml.YAMLError as error:
            raise ParameterError(f"The parameters cannot be merged: {error}") from error
        return _resolve(merged)

    def written(self, key: str) -> str | None:
        """Return a parameter as written in params.yaml or the environment (see `find_written`)."""
        return find_written([Path(self.conf_source).parent / "params.yaml", *self._environment_files()], key)

    def _environment_files(self) -> list[Path]:
        folders = dict.fromkeys(one for one in (self.base_env, self.env or self.default_run_env) if one)
        return [file for one in folders for file in sorted(Path(self.conf_source).glob(f"{one}/**/parameters*.y*ml"))]

    def _environment_parameters(self, base: DictConfig) -> dict[str, Any]:
        folders = sorted(one.name for one in Path(self.conf_source).iterdir() if one.is_dir())
        if self.env and self.env not in folders:
            raise ParameterError(f"--env: there is no conf/{self.env}. Environments: {', '.join(folders)}.")
        for file in self._environment_files():
            _read(file, file.relative_to(Path(self.conf_source).parent).as_posix())
        runtime_params = self.runtime_params
        self.runtime_params = deepcopy(dict(runtime_params or {}))
        list(_pop_elements(base, self.runtime_params))  # Kedro merges them here too, and knows no elements of lists
        try:
            return super().__getitem__("parameters")
        except MissingConfigException:
            return {}
        finally:
            self.runtime_params = runtime_params
