"""llama.cpp's C interface, as much of it as the tests need, from the prebuilt libraries of the npm
package @node-llama-cpp/linux-x64 (build/peer). Layouts follow llama.h of October 2026 (0.5.0)."""

import ctypes as c
import pathlib

import numpy as np


class ModelParams(c.Structure):
    _fields_ = [
        ("devices", c.c_void_p),
        ("tensor_buft_overrides", c.c_void_p),
        ("n_gpu_layers", c.c_int32),
        ("split_mode", c.c_int),
        ("load_mode", c.c_int),
        ("lazy_mode", c.c_int),
        ("main_gpu", c.c_int32),
        ("tensor_split", c.c_void_p),
        ("progress_callback", c.c_void_p),
        ("progress_callback_user_data", c.c_void_p),
        ("kv_overrides", c.c_void_p),
        ("vocab_only", c.c_bool),
        ("check_tensors", c.c_bool),
        ("use_extra_bufts", c.c_bool),
        ("no_host", c.c_bool),
        ("no_alloc", c.c_bool),
        ("load_mtp", c.c_bool),
        # Returned and passed through memory: a library whose struct is longer must not write beyond ours.
        ("room_for_newer_fields", c.c_byte * 64),
    ]


class ContextParams(c.Structure):
    _fields_ = [
        ("n_ctx", c.c_uint32),
        ("n_batch", c.c_uint32),
        ("n_ubatch", c.c_uint32),
        ("n_seq_max", c.c_uint32),
        ("n_rs_seq", c.c_uint32),
        ("n_outputs_max", c.c_uint32),
        ("n_outputs_max_per_seq", c.c_uint32),
        ("n_threads", c.c_int32),
        ("n_threads_batch", c.c_int32),
        ("ctx_type", c.c_int),
        ("rope_scaling_type", c.c_int),
        ("pooling_type", c.c_int),
        ("attention_type", c.c_int),
        ("flash_attn_type", c.c_int),
        ("rope_freq_base", c.c_float),
        ("rope_freq_scale", c.c_float),
        ("yarn_ext_factor", c.c_float),
        ("yarn_attn_factor", c.c_float),
        ("yarn_beta_fast", c.c_float),
        ("yarn_beta_slow", c.c_float),
        ("yarn_orig_ctx", c.c_uint32),
        ("defrag_thold", c.c_float),
        ("cb_eval", c.c_void_p),
        ("cb_eval_user_data", c.c_void_p),
        ("type_k", c.c_int),
        ("type_v", c.c_int),
        ("abort_callback", c.c_void_p),
        ("abort_callback_data", c.c_void_p),
        ("embeddings", c.c_bool),
        ("offload_kqv", c.c_bool),
        ("no_perf", c.c_bool),
        ("op_offload", c.c_bool),
        ("swa_full", c.c_bool),
        ("kv_unified", c.c_bool),
        ("samplers", c.c_void_p),
        ("n_samplers", c.c_size_t),
        ("ctx_other", c.c_void_p),
        ("room_for_newer_fields", c.c_byte * 64),
    ]


class QuantizeParams(c.Structure):
    _fields_ = [
        ("nthread", c.c_int32),
        ("ftype", c.c_int),
        ("output_tensor_type", c.c_int),
        ("token_embedding_type", c.c_int),
        ("allow_requantize", c.c_bool),
        ("quantize_output_tensor", c.c_bool),
        ("only_copy", c.c_bool),
        ("pure", c.c_bool),
        ("keep_split", c.c_bool),
        ("dry_run", c.c_bool),
        ("imatrix", c.c_void_p),
        ("kv_overrides", c.c_void_p),
        ("tt_overrides", c.c_void_p),
        ("prune_layers", c.c_void_p),
        ("max_buf_size", c.c_size_t),
        ("room_for_newer_fields", c.c_byte * 64),
    ]


class ImportanceData(c.Structure):
    _fields_ = [("name", c.c_char_p), ("data", c.POINTER(c.c_float)), ("size", c.c_size_t)]


class Override(c.Structure):
    """Of a key of the metadata; `value` is a union."""

    _fields_ = [("tag", c.c_int), ("key", c.c_char * 128), ("value", c.c_int64), ("rest", c.c_byte * 120)]


WHOLE_NUMBER, TEXT = 0, 3  # tags of overrides


class Batch(c.Structure):
    _fields_ = [
        ("n_tokens", c.c_int32),
        ("token", c.POINTER(c.c_int32)),
        ("embd", c.POINTER(c.c_float)),
        ("pos", c.POINTER(c.c_int32)),
        ("n_seq_id", c.POINTER(c.c_int32)),
        ("seq_id", c.POINTER(c.POINTER(c.c_int32))),
        ("logits", c.POINTER(c.c_int8)),
    ]


LOG_CALLBACK = c.CFUNCTYPE(None, c.c_int, c.c_char_p, c.c_void_p)

# name: (result, arguments)
FUNCTIONS = {
    "llama_backend_init": (None, []),
    "llama_log_set": (None, [LOG_CALLBACK, c.c_void_p]),
    "llama_model_default_params": (ModelParams, []),
    "llama_context_default_params": (ContextParams, []),
    "llama_model_load_from_file": (c.c_void_p, [c.c_char_p, ModelParams]),
    "llama_model_free": (None, [c.c_void_p]),
    "llama_init_from_model": (c.c_void_p, [c.c_void_p, ContextParams]),
    "llama_free": (None, [c.c_void_p]),
    "llama_model_get_vocab": (c.c_void_p, [c.c_void_p]),
    "llama_vocab_n_tokens": (c.c_int32, [c.c_void_p]),
    "llama_vocab_bos": (c.c_int32, [c.c_void_p]),
    "llama_vocab_get_add_bos": (c.c_bool, [c.c_void_p]),
    "llama_tokenize": (
        c.c_int32,
        [c.c_void_p, c.c_char_p, c.c_int32, c.POINTER(c.c_int32), c.c_int32, c.c_bool, c.c_bool],
    ),
    "llama_get_memory": (c.c_void_p, [c.c_void_p]),
    "llama_memory_clear": (None, [c.c_void_p, c.c_bool]),
    "llama_batch_init": (Batch, [c.c_int32, c.c_int32, c.c_int32]),
    "llama_batch_free": (None, [Batch]),
    "llama_decode": (c.c_int32, [c.c_void_p, Batch]),
    "llama_get_logits": (c.POINTER(c.c_float), [c.c_void_p]),
    "llama_model_quantize_default_params": (QuantizeParams, []),
    "llama_model_quantize": (c.c_uint32, [c.c_char_p, c.c_char_p, c.POINTER(QuantizeParams)]),
    "llama_model_meta_val_str": (c.c_int32, [c.c_void_p, c.c_char_p, c.c_char_p, c.c_size_t]),
}


class Llama:
    """The library. One per process."""

    def __init__(self, folder: pathlib.Path):
        (path,) = folder.glob("**/libllama.v*.so")
        (ggml_path,) = path.parent.glob("libggml.v*.so")
        ggml = c.CDLL(str(ggml_path), mode=c.RTLD_GLOBAL)
        self.functions = c.CDLL(str(path))
        for name, (result, arguments) in FUNCTIONS.items():
            function = getattr(self.functions, name)
            function.restype, function.argtypes = result, arguments
        self.errors: list[str] = []
        self._log = LOG_CALLBACK(self._on_log)  # kept: the library holds no reference
        self.functions.llama_log_set(self._log, None)
        ggml.ggml_backend_load_all_from_path.argtypes = [c.c_char_p]
        ggml.ggml_backend_load_all_from_path(str(path.parent).encode())
        self.functions.llama_backend_init()

    def _on_log(self, level: int, text: bytes, _user) -> None:
        if level >= 4:  # errors; below it is chatter
            self.errors.append(text.decode(errors="replace").strip())

    def model(self, path: pathlib.Path, context: int = 256) -> "Model":
        return Model(self, path, context)

    def quantize(
        self,
        source: pathlib.Path,
        path: pathlib.Path,
        file_type: int,
        importance: dict[str, np.ndarray] | None = None,
        said: dict[str, int | str] | None = None,
    ) -> str:
        """Writes `path` as the program llama-quantize does without options, or with --imatrix; why it
        refuses, or "".

        importance: name of the weight -> what each of its columns matters
        said: further metadata
        """
        parameters = self.functions.llama_model_quantize_default_params()
        defaults = (parameters.ftype, parameters.quantize_output_tensor, parameters.max_buf_size)
        assert defaults == (7, True, 8 << 30), (
            "the layout of llama_model_quantize_params is not the one declared here"
        )
        parameters.ftype = file_type
        parameters.nthread = 1
        data = (ImportanceData * (len(importance or {}) + 1))()
        for entry, (name, numbers) in zip(data, (importance or {}).items()):
            flat = np.ascontiguousarray(numbers, np.float32).ravel()
            entry.name, entry.size = name.encode(), flat.size
            entry.data = flat.ctypes.data_as(c.POINTER(c.c_float))
            entry.kept = flat  # the library takes the address only
        overrides = (Override * (len(said or {}) + 1))()
        for override, (key, value) in zip(overrides, (said or {}).items()):
            override.key = key.encode()
            if isinstance(value, int):
                override.tag, override.value = WHOLE_NUMBER, value
            else:
                override.tag = TEXT
                c.memmove(c.addressof(override) + Override.value.offset, value.encode(), len(value.encode()))
        if importance:
            parameters.imatrix = c.addressof(data)
        if said:
            parameters.kv_overrides = c.addressof(overrides)
        self.errors.clear()
        status = self.functions.llama_model_quantize(str(source).encode(), str(path).encode(), parameters)
        assert status == 0 or self.errors
        return "" if status == 0 else "; ".join(self.errors)


class Model:
    """A GGUF file that llama.cpp loaded, and a context of its own. Use as a context manager."""

    def __init__(self, library: Llama, path: pathlib.Path, context: int):
        self.f = library.functions
        self.context_tokens = context
        library.errors.clear()
        parameters = self.f.llama_model_default_params()
        parameters.n_gpu_layers = 0
        parameters.check_tensors = True
        self.handle = self.f.llama_model_load_from_file(str(path).encode(), parameters)
        assert self.handle, f"llama.cpp refuses {path}: {'; '.join(library.errors)}"
        parameters = self.f.llama_context_default_params()
        assert (parameters.n_batch, parameters.type_k, parameters.type_v) == (2048, 1, 1), (
            "the layout of llama_context_params is not the one declared here"
        )
        parameters.n_ctx = parameters.n_batch = parameters.n_ubatch = context
        # Its threads spin while they wait for each other: on a busy machine two take ten times as long.
        parameters.n_threads = parameters.n_threads_batch = 1
        parameters.type_k = parameters.type_v = 0  # F32: the cache's rounding is not what is compared
        parameters.flash_attn_type = 0
        self.context = self.f.llama_init_from_model(self.handle, parameters)
        assert self.context, f"llama.cpp makes no context of {path}: {'; '.join(library.errors)}"
        self.vocabulary = self.f.llama_model_get_vocab(self.handle)
        self.vocabulary_size = self.f.llama_vocab_n_tokens(self.vocabulary)

    def __enter__(self) -> "Model":
        return self

    def __exit__(self, *_exception) -> None:
        self.f.llama_free(self.context)
        self.f.llama_model_free(self.handle)

    def metadata(self, key: str) -> str | None:
        buffer = c.create_string_buffer(1 << 20)
        length = self.f.llama_model_meta_val_str(self.handle, key.encode(), buffer, len(buffer))
        return None if length < 0 else buffer.value.decode()

    def tokenize(self, text: str, add_special: bool = True, parse_special: bool = True) -> list[int]:
        raw = text.encode()
        room = len(raw) + 8
        tokens = (c.c_int32 * room)()
        count = self.f.llama_tokenize(
            self.vocabulary, raw, len(raw), tokens, room, add_special, parse_special
        )
        assert count >= 0, f"a text of {len(raw)} bytes makes {-count} tokens"
        return list(tokens[:count])

    def logits(self, tokens: list[int]) -> np.ndarray:
        """[tokens, vocabulary] from an empty cache."""
        assert 0 < len(tokens) <= self.context_tokens
        self.f.llama_memory_clear(self.f.llama_get_memory(self.context), True)
        batch = self.f.llama_batch_init(len(tokens), 0, 1)
        batch.n_tokens = len(tokens)
        for i, token in enumerate(tokens):
            batch.token[i] = token
            batch.pos[i] = i
            batch.n_seq_id[i] = 1
            batch.seq_id[i][0] = 0
            batch.logits[i] = 1
        status = self.f.llama_decode(self.context, batch)
        self.f.llama_batch_free(batch)
        assert status == 0, f"llama_decode answers {status}"
        flat = np.ctypeslib.as_array(
            self.f.llama_get_logits(self.context), (len(tokens) * self.vocabulary_size,)
        )
        return flat.reshape(len(tokens), self.vocabulary_size).copy()

    def perplexity(self, text: str, chunks: int | None = None) -> float:
        """The usual procedure: chunks of the context's length, each from an empty cache and begun with
        BOS; the second half of each is scored."""
        tokens = self.tokenize(text.removesuffix("\n"))
        size = self.context_tokens
        assert len(tokens) >= 2 * size, "the text is too short for a perplexity"
        count = len(tokens) // size
        if chunks is not None:
            count = min(count, chunks)
        bos = self.f.llama_vocab_bos(self.vocabulary)
        total, scored = 0.0, 0
        for chunk in range(count):
            original = tokens[chunk * size : (chunk + 1) * size]
            evaluated = list(original)
            if self.f.llama_vocab_get_add_bos(self.vocabulary):
                evaluated[0] = bos
            rows = self.logits(evaluated)[size // 2 : size - 1].astype(np.float64)
            targets = np.array(original[size // 2 + 1 : size])
            top = rows.max(axis=1)
            log_sum = top + np.log(np.exp(rows - top[:, None]).sum(axis=1))
            total += float((log_sum - rows[np.arange(len(targets)), targets]).sum())
            scored += len(targets)
        return float(np.exp(total / scored))
