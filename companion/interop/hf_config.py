"""Read a Hugging Face config, an object or config.json, and refuse what has no place here."""

from collections.abc import Mapping
from typing import Any

from companion.interop.state import expect

__all__: list[str] = []  # for the files of this folder

ACTIVATIONS = {  # their name → ours
    "relu": "relu",
    "gelu": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "silu": "silu",
    "swish": "silu",
}


def fields_of(hf_config: Any, model_type: str, wanted: dict[str, Any]) -> dict[str, Any]:
    """The config as a dict, once what has no counterpart here is refused."""
    if not isinstance(hf_config, Mapping) and not hasattr(hf_config, "to_dict"):
        came = type(hf_config).__name__
        raise TypeError(f"hf_config: expected a config or its dict, got {came}")
    fields = dict(hf_config if isinstance(hf_config, Mapping) else hf_config.to_dict())
    expect("hf_config", fields, {"model_type": model_type})
    expect("hf_config", wanted | fields, wanted)  # what a file leaves out is as it should be
    return fields


def needed(fields: dict[str, Any], name: str) -> Any:
    """The value of an option that has no default here."""
    if name not in fields:
        raise ValueError(f"hf_config.{name}: expected a value, got none")
    return fields[name]


def activation(fields: dict[str, Any], name: str) -> str:
    """Our name of the activation that the option `name` tells."""
    came = needed(fields, name)
    if came not in ACTIVATIONS:
        known = ", ".join(ACTIVATIONS)
        raise ValueError(f"hf_config.{name}: expected one of {known}, got {came!r}")
    return ACTIVATIONS[came]
