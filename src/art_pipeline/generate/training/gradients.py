"""Gradients and compiled steps on the three backends of Keras, of which only the one in use is imported.

A step is a function of arrays that reads and assigns Keras variables, and calls `gradients`.
"""

from collections.abc import Callable, Sequence
from typing import Any

import keras

Step = Callable[..., Any]
Variables = Sequence[keras.Variable]


def gradients(loss: Callable[[], Any], trained: Variables, others: Variables) -> tuple[Any, Any]:
    """Compute a loss and its gradients.

    Args:
        loss: Returns the loss, a scalar or a tuple whose first value is differentiated; may assign ``others``.
        trained: Variables with respect to which it is differentiated.
        others: All other variables that the loss reads or assigns.

    Returns:
        What ``loss`` returned, and a gradient for each trained variable.
    """
    found: tuple[Any, Any] = _backend()[0](loss, trained, others)
    return found


def compiled(step: Step, variables: Variables) -> Step:
    """Compile a step.

    Args:
        step: Function of arrays; returns tensors.
        variables: All variables that it reads or assigns.
    """
    return _backend()[1](step, variables)


def _backend() -> tuple[Callable[..., Any], Callable[..., Step]]:
    return _BACKENDS[keras.backend.backend()]


def _first(result: Any) -> Any:
    return result[0] if isinstance(result, tuple) else result


def _tensorflow_gradients(loss: Callable[[], Any], trained: Variables, others: Variables) -> tuple[Any, Any]:  # noqa: ARG001
    import tensorflow as tf

    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch([one.value for one in trained])
        result = loss()
    return result, tape.gradient(_first(result), [one.value for one in trained])


def _tensorflow_compiled(step: Step, variables: Variables) -> Step:  # noqa: ARG001
    import tensorflow as tf

    compiled_step: Step = tf.function(step, autograph=False)
    return compiled_step


def _torch_gradients(loss: Callable[[], Any], trained: Variables, others: Variables) -> tuple[Any, Any]:  # noqa: ARG001
    import torch

    result = loss()
    return result, torch.autograd.grad(_first(result), [one.value for one in trained])


def _torch_compiled(step: Step, variables: Variables) -> Step:  # noqa: ARG001
    return step


def _jax_gradients(loss: Callable[[], Any], trained: Variables, others: Variables) -> tuple[Any, Any]:
    import jax

    def pure(values: Any, fixed: Any) -> Any:
        mapping = [*zip(trained, values, strict=True), *zip(others, fixed, strict=True)]
        with keras.StatelessScope(state_mapping=mapping) as scope:
            result = loss()
        return _first(result), (result, [scope.get_current_value(one) for one in others])

    derive = jax.grad(pure, has_aux=True)
    found, (result, assigned) = derive([one.value for one in trained], [one.value for one in others])
    for variable, value in zip(others, assigned, strict=True):
        variable.assign(value)
    return result, found


def _jax_compiled(step: Step, variables: Variables) -> Step:
    import jax

    def pure(values: Any, arrays: Any) -> Any:
        with keras.StatelessScope(state_mapping=list(zip(variables, values, strict=True))) as scope:
            result = step(*arrays)
        return result, [scope.get_current_value(one) for one in variables]

    jitted = jax.jit(pure)

    def run(*arrays: Any) -> Any:
        result, values = jitted([one.value for one in variables], arrays)
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        return result

    return run


_BACKENDS: dict[str, tuple[Callable[..., Any], Callable[..., Step]]] = {
    "tensorflow": (_tensorflow_gradients, _tensorflow_compiled),
    "torch": (_torch_gradients, _torch_compiled),
    "jax": (_jax_gradients, _jax_compiled),
}
