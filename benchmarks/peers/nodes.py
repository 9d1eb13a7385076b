"""The project's nodes, one after the other, without Kedro's runner, MLflow or DVC.

python benchmarks/peers/nodes.py        (in the project's folder)
"""

from pathlib import Path

from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project


def main() -> None:
    """Load, call, save."""
    bootstrap_project(Path.cwd())
    with KedroSession.create(Path.cwd(), env="base") as session:
        catalog = session.load_context().catalog
    passed_on = {}
    for node in pipelines["__default__"].nodes:
        read = {name: passed_on[name] if name in passed_on else catalog.load(name) for name in node.inputs}
        for name, data in node.run(read).items():
            if catalog.get(name) is None:
                passed_on[name] = data
            else:
                catalog.save(name, data)


if __name__ == "__main__":
    main()
