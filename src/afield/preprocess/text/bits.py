"""Eight bytes at a time: the few machine instructions that NumPy has no name for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

_WORD = ir.IntType(64)


def _instruction(function: Callable[..., Any]) -> Callable[..., Any]:
    return intrinsic(function)


def _pointer(context: Any, builder: Any, array_type: Any, array: Any, at: Any) -> Any:
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(cgutils.gep_inbounds(builder, data, at), _WORD.as_pointer())


@_instruction
def load(_: Any, data: Any, at: Any) -> Any:
    """uint64 of data[at : at + 8], the first byte lowest; the caller knows that the bytes are there."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load(_pointer(context, builder, signature.args[0], *arguments), align=1)

    return types.uint64(data, types.int64), generate


@_instruction
def store(_: Any, data: Any, at: Any, word: Any) -> Any:
    """Writes the eight bytes of word to data[at : at + 8]; the caller knows that there is room."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data, at, word = arguments
        builder.store(word, _pointer(context, builder, signature.args[0], data, at), align=1)
        return context.get_dummy_value()

    return types.void(data, types.int64, types.uint64), generate


@_instruction
def lowest(_: Any, word: Any) -> Any:
    """Index of the lowest bit set; the word is not 0."""

    def generate(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), generate


@_instruction
def mix(_: Any, left: Any, right: Any) -> Any:
    """Both halves of the 128-bit product, folded into one word: every bit in moves about half of the bits out."""

    def generate(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        wide = ir.IntType(128)
        product = builder.mul(builder.zext(arguments[0], wide), builder.zext(arguments[1], wide))
        high = builder.trunc(builder.lshr(product, ir.Constant(wide, 64)), _WORD)
        return builder.xor(builder.trunc(product, _WORD), high)

    return types.uint64(types.uint64, types.uint64), generate


@_instruction
def prefetch(_: Any, data: Any, at: Any) -> Any:
    """Asks for the cache line of data[at] without waiting for it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        byte = ir.IntType(8).as_pointer()
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        pointer = builder.bitcast(_pointer(context, builder, signature.args[0], *arguments), byte)
        builder.call(function, [pointer, number(0), number(3), number(1)])
        return context.get_dummy_value()

    return types.void(data, types.int64), generate


def _keep() -> np.ndarray:
    table = np.zeros((17, 2), np.uint64)
    for length in range(17):
        ones = (1 << 8 * length) - 1
        table[length] = ones & (1 << 64) - 1, ones >> 64
    return table


KEEP = _keep()
"""uint64[17, 2]: masks that keep the first n of 16 bytes, as two words."""
