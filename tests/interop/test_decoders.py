"""Our decoders and those of the `gguf` package give the same floats, bit for bit."""

import gguf
import numpy as np
import pytest
from gguf.quants import dequantize

# Offsets of a type's binary16 fields: a scale, and a minimum where there is one.
HALVES = {
    "F16": [0], "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0],
    "Q2_K": [80, 82], "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208],
    "IQ2_XXS": [0], "IQ2_XS": [0], "IQ3_XXS": [0], "IQ1_S": [0], "IQ4_NL": [0], "IQ3_S": [0], "IQ2_S": [0],
    "IQ4_XS": [0], "TQ1_0": [52], "TQ2_0": [64],
}  # fmt: skip
TYPES = [*HALVES, "F32", "BF16", "IQ1_M", "MXFP4", "NVFP4"]
# The package knows their names or not even those, but cannot decode them: tests/kernels/decode_test.cc alone
# has values of these.
NOT_THERE = ["Q1_0", "Q2_0"]
AT_ONCE = 8192  # blocks; the package's intermediate arrays are many times as large as its result


def block_bytes(name: str) -> int:
    return gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[name]][1]


def random_blocks(name: str, count: int) -> np.ndarray:
    return np.random.default_rng(len(name)).integers(0, 256, (count, block_bytes(name)), np.uint8)


def theirs(name: str, blocks: np.ndarray) -> np.ndarray:
    kind = gguf.GGMLQuantizationType[name]
    parts = [dequantize(blocks[i : i + AT_ONCE], kind) for i in range(0, len(blocks), AT_ONCE)]
    return np.concatenate(parts).astype(np.float32, copy=False).ravel()


def expect_same(decode_blocks, name: str, blocks: np.ndarray) -> None:
    # Infinite scales and scales that are not numbers are part of what is compared.
    with np.errstate(all="ignore"):
        wanted = theirs(name, blocks)
    for backend, ours in decode_blocks(name, blocks).items():
        assert ours.shape == wanted.shape
        # A NaN is a NaN, whatever its sign and payload.
        same = (ours.view(np.uint32) == wanted.view(np.uint32)) | (np.isnan(ours) & np.isnan(wanted))
        if not same.all():
            at = int(np.argmin(same))
            block = blocks[at * len(blocks) // len(ours)].tobytes().hex()
            pytest.fail(f"{name} by {backend}, value {at}: {ours[at]!r}, not {wanted[at]!r}; block {block}")


def can_decode(kind: gguf.GGMLQuantizationType) -> bool:
    try:
        dequantize(np.zeros((1, gguf.GGML_QUANT_SIZES[kind][1]), np.uint8), kind)
    except NotImplementedError:
        return False
    return True


def test_every_type_that_the_package_decodes_is_compared():
    known = {kind.name for kind in gguf.GGMLQuantizationType if can_decode(kind)}
    assert known == set(TYPES)
    assert not known & set(NOT_THERE)


@pytest.mark.parametrize("name", TYPES)
def test_random_blocks_decode_alike(decode_blocks, name):
    expect_same(decode_blocks, name, random_blocks(name, 4099))


# With 65536 blocks around the scales, every number of every grid occurs, and every byte at every place.
@pytest.mark.parametrize("name", HALVES)
def test_every_binary16_scale_decodes_alike(decode_blocks, name):
    for offset in HALVES[name]:
        blocks = random_blocks(name, 65536)
        blocks[:, offset : offset + 2] = np.arange(65536, dtype="<u2").view(np.uint8).reshape(-1, 2)
        expect_same(decode_blocks, name, blocks)


def test_every_scale_in_four_nibbles_decodes_alike(decode_blocks):
    blocks = random_blocks("IQ1_M", 65536)
    scales = np.arange(65536)
    for i in range(4):
        blocks[:, 49 + 2 * i] = (blocks[:, 49 + 2 * i] & 15) | ((scales >> 4 * i & 15) << 4).astype(np.uint8)
    expect_same(decode_blocks, "IQ1_M", blocks)


def test_every_bfloat16_decodes_alike(decode_blocks):
    expect_same(decode_blocks, "BF16", np.arange(65536, dtype="<u2").view(np.uint8).reshape(-1, 2))


def test_every_byte_of_a_scale_of_eight_bits_decodes_alike_with_every_code(decode_blocks):
    scales = np.arange(256, dtype=np.uint8)
    # Low nibbles 0 to 15, high ones the other way round.
    codes = np.arange(16, dtype=np.uint8) | (15 - np.arange(16, dtype=np.uint8)) << 4
    mxfp4 = np.concatenate([scales[:, None], np.tile(codes, (256, 1))], axis=1)
    expect_same(decode_blocks, "MXFP4", mxfp4)
    # Eight bytes hold all sixteen codes of a sub-block; each of the four has a scale of its own.
    codes = np.arange(8, dtype=np.uint8) | (np.arange(8, dtype=np.uint8) + 8) << 4
    rolled = np.stack([np.roll(scales, 64 * s) for s in range(4)], axis=1)
    expect_same(decode_blocks, "NVFP4", np.concatenate([rolled, np.tile(codes, (256, 4))], axis=1))
