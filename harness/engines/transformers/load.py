"""Loading a causal language model from a local folder, with every failure as one line.

Weights are safetensors or seeded noise.
"""

from __future__ import annotations

import logging
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.configuration_utils import PretrainedConfig
from transformers.models.auto.configuration_auto import CONFIG_MAPPING
from transformers.utils import logging as transformers_logging

from harness.config.schema import ModelSpec
from harness.engines.files import ModelFiles, find_weights
from harness.engines.tokenizer import TextEncoder
from harness.engines.transformers.identity import DEFAULT_ATTENTION, read_config, safetensors_header
from harness.engines.transformers.memory import is_out_of_memory
from harness.errors import ModelError, OutOfMemoryError
from harness.wording import named_line

log = logging.getLogger(__name__)

_INFINITE = 1000000000000000019884624838656  # a tokenizer's model_max_length that says nothing
_DEFAULT_LENGTH = 2048
SMALL = 20_000_000
"""Parameters below which one thread is enough on a CPU."""


@dataclass(frozen=True)
class Placement:
    """Where and how the model is put.

    ``dtype`` is a torch dtype's name; ``several``: over all visible GPUs.
    """

    device: str
    dtype: str
    attention: str
    several: bool = False

    @property
    def attn_implementation(self) -> str | None:
        """transformers' argument of this name; None lets it decide."""
        return None if self.attention == DEFAULT_ATTENTION else self.attention


def load_model(spec: ModelSpec, files: ModelFiles, place: Placement) -> Any:
    """The model, ready to answer (eval, no gradients).

    Raises ModelError or OutOfMemoryError, one line each.
    """
    config = load_config(spec, files.path)

    # Libraries below raise whatever they like; a cell's reason is one line of it.
    try:
        model = _random(spec, config, place) if spec.weights == "random" else _pretrained(spec, files, place)
    except (ModelError, OutOfMemoryError):
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise OutOfMemoryError(
                f"{spec.label}: its weights do not fit into the memory of {place.device} as {place.dtype}"
            ) from error
        raise ModelError(f"{spec.label}: cannot be loaded: {named_line(error)}") from error
    return model.eval().requires_grad_(False)


def load_config(spec: ModelSpec, folder: Path) -> Any:
    """The model's configuration with ``config_overrides`` applied.

    Raises ModelError for an architecture or key that is unknown.
    """
    raw = read_config(folder)
    # An architecture that transformers has itself is not taken from the repository's code.
    remote = "auto_map" in raw and raw.get("model_type") not in CONFIG_MAPPING
    if remote and not spec.trust_remote_code:
        raise ModelError(
            f"{spec.label}: its architecture comes as Python code in its repository; "
            "trust_remote_code: true runs it"
        )

    try:
        if remote or not spec.config_overrides:
            return AutoConfig.from_pretrained(
                folder,
                trust_remote_code=spec.trust_remote_code,
                local_files_only=True,
                **spec.config_overrides,
            )

        kind = CONFIG_MAPPING[raw["model_type"]]
        _check_overrides(spec, kind)
        # The list has one entry per layer: with another number, the architecture makes it anew.
        if "num_hidden_layers" in spec.config_overrides and "layer_types" not in spec.config_overrides:
            raw.pop("layer_types", None)
        return kind.from_dict(raw | spec.config_overrides)
    except ModelError:
        raise
    except Exception as error:
        raise ModelError(f"{spec.label}: its config.json is not understood: {named_line(error)}") from error


def _check_overrides(spec: ModelSpec, kind: type[Any]) -> None:
    """Overrides are keys of this architecture: a misspelt one would change nothing, quietly."""
    keys = set(kind().to_dict()) | set(kind.attribute_map)
    if unknown := sorted(set(spec.config_overrides) - keys):
        raise ModelError(
            f"{spec.label}: config_overrides has no key {', '.join(unknown)} "
            f"in architecture {kind.model_type}"
        )


def _random(spec: ModelSpec, config: Any, place: Placement) -> Any:
    """The architecture with seeded noise for weights, made on the device itself."""
    dtype = getattr(torch, place.dtype)
    device = torch.device(place.device)
    gpus = (
        []
        if device.type == "cpu"
        else [torch.cuda.current_device() if device.index is None else device.index]
    )
    options = {
        "dtype": dtype,
        "attn_implementation": place.attn_implementation,
        "trust_remote_code": spec.trust_remote_code,
    }

    # fork_rng: the seed makes these weights, and nothing else that draws random numbers.
    remote = hasattr(config, "auto_map")
    with torch.random.fork_rng(devices=gpus), device if remote else torch.device("meta"):
        torch.manual_seed(spec.seed)
        model = AutoModelForCausalLM.from_config(config, **options)
    if remote:
        return model

    # Building on the meta device first skips torch's own initialisation, which transformers' would
    # only overwrite.
    with torch.random.fork_rng(devices=gpus):
        torch.manual_seed(spec.seed)
        model.to_empty(device=device)
        model.init_weights()
    return model


def _pretrained(spec: ModelSpec, files: ModelFiles, place: Placement) -> Any:
    """The checkpoint's weights, all of them and of the shapes that config.json says."""
    # A file cut short is one line here, and a traceback from inside the library later.
    for file in find_weights(files.path, spec.label):
        safetensors_header(file)
    transformers_logging.disable_progress_bar()  # the run has its own
    model, report = AutoModelForCausalLM.from_pretrained(
        files.path,
        dtype=getattr(torch, place.dtype),
        device_map="auto" if place.several else None if place.device == "cpu" else {"": place.device},
        attn_implementation=place.attn_implementation,
        trust_remote_code=spec.trust_remote_code,
        use_safetensors=True,
        local_files_only=True,
        output_loading_info=True,
        ignore_mismatched_sizes=True,  # reported below, in one line
    )

    # transformers fills what is missing with noise and only warns: here it is an error.
    if mismatched := report["mismatched_keys"]:
        name, *shapes = sorted(mismatched, key=str)[0]
        raise ModelError(
            f"{spec.label}: {len(mismatched)} weights have another shape than config.json says, "
            f"e.g. {name}: " + " instead of ".join(str(tuple(shape)) for shape in shapes)
        )
    if missing := sorted(report["missing_keys"]):
        raise ModelError(
            f"{spec.label}: {len(missing)} weights are missing from the safetensors files, e.g. {missing[0]}"
        )
    if unexpected := sorted(report["unexpected_keys"]):
        log.warning(
            "%s: %d weights are not used by the architecture, e.g. %s",
            spec.label,
            len(unexpected),
            unexpected[0],
        )
    return model


def check_vocabulary(spec: ModelSpec, model: Any, encoder: TextEncoder) -> int:
    """The number of embedding rows.

    Raises ModelError when the tokenizer's own vocabulary (added tokens apart) needs more.
    """
    rows = int(model.get_input_embeddings().weight.shape[0])
    added = set(getattr(encoder.raw, "added_tokens_decoder", {}))
    largest = max((index for index in encoder.raw.get_vocab().values() if index not in added), default=0)
    if largest >= rows:
        raise ModelError(
            f"{spec.label}: the model has {rows} token embeddings, "
            f"its tokenizer writes ids up to {largest}; wrong tokenizer?"
        )

    # An added token beyond the embeddings is harmless until a text has it: a warning, no refusal.
    if beyond := sorted(index for index in added if index >= rows):
        log.warning(
            "%s: %d added tokens have no embedding (from id %d): a text with one cannot be answered",
            spec.label,
            len(beyond),
            beyond[0],
        )
    return rows


def context_length(spec: ModelSpec, config: PretrainedConfig, encoder: TextEncoder) -> int:
    """The window in tokens: the spec's, else as lm-eval's ``resolve_max_length`` finds it.

    That asks the config (its text part first), then the tokenizer, and falls back to 2048.
    """
    if spec.max_length:
        return spec.max_length

    text = getattr(config, "text_config", None) or config
    for name in ("n_positions", "max_position_embeddings", "n_ctx"):
        value = getattr(text, name, None)
        if value is not None:
            return int(value)

    value = getattr(encoder.raw, "model_max_length", None)
    return int(value) if value is not None and value != _INFINITE else _DEFAULT_LENGTH


def weight_bytes(files: ModelFiles) -> int:
    """Bytes of the checkpoint's tensors on disk."""
    return sum(file.stat().st_size for file in files.path.glob("*.safetensors"))


def needs_several_gpus(spec: ModelSpec, files: ModelFiles, device: str) -> bool:
    """Whether the layers go over all visible GPUs.

    They do where ``gpus`` asks for it, else where one GPU's free memory is too small.
    """
    if not device.startswith("cuda") or torch.cuda.device_count() < 2:
        return False
    if spec.gpus is not None:
        return spec.gpus > 1

    # A fifth more than the weights: activations and keys and values need room, too.
    free, _ = torch.cuda.mem_get_info(torch.device(device))
    return math.ceil(weight_bytes(files) * 1.2) > free


def choose_threads(model: Any) -> None:
    """One thread for a model of a few million parameters: its layers are too little work to share.

    Where anything else runs, threads that wait for each other in every layer cost nine times the
    time (209 items/s against 22, two cores, 0.8M parameters). Larger models keep torch's choice,
    the physical cores; OMP_NUM_THREADS, where set, decides.
    """
    if (
        "OMP_NUM_THREADS" not in os.environ
        and sum(parameter.numel() for parameter in model.parameters()) < SMALL
    ):
        torch.set_num_threads(1)
