"""Fixtures of string ops."""
import numpy as np
from common import Family, tf
from values import INTS, limits, strings

f = Family("strings")
S = strings("", "a", "Hello World", " \t padded\n", "ÄÖü ß", "日本", "0x1F", b"\xff\x00z")

for op in ["StringLower", "StringUpper"]:
    f.case(op, {"input": S})
    f.case(op, {"input": S[:7]}, encoding="utf-8")
    f.case(op, {"input": strings("aB").reshape(())})
f.case("StringStrip", {"input": S})
f.case("StringStrip", {"input": S.reshape(2, 4)})
for unit in ["BYTE", "UTF8_CHAR"]:
    f.case("StringLength", {"input": S[:7]}, unit=unit)
    f.case("StringLength", {"input": strings("ab", "").reshape(2, 1)}, unit=unit)
    for pos, length in [(0, 1), (1, 2), (-2, 2), (0, 100), (2, 0)]:
        for d in [np.int32, np.int64]:
            f.case("Substr", {"input": strings("abc", "日本語", "xyzw"), "pos": np.array(pos, d), "len": np.array(length, d)}, unit=unit)
    f.case("Substr", {"input": strings("abc", "defg"), "pos": np.int32([0, 2]), "len": np.int32([1, 2])}, unit=unit)
    f.case("Substr", {"input": strings("abc", "defg").reshape(2, 1), "pos": np.int32([0, 1, 2]), "len": np.int32([1, 2, 3])}, unit=unit)
    f.case("Substr", {"input": strings("abcdef").reshape(()), "pos": np.int32([0, 1, 2]), "len": np.int32([1, 2, 3])}, unit=unit)
for sep in ["", "/", ", "]:
    f.case("StringJoin", {"inputs": [strings("a", "b"), strings("c", "d")]}, separator=sep)
    f.case("StringJoin", {"inputs": [strings("a", "b"), strings("x").reshape(()), strings("c", "d")]}, separator=sep)
    f.case("StringJoin", {"inputs": [strings("a").reshape(()), strings("b").reshape(())]}, separator=sep)
    f.case("StringJoin", {"inputs": [strings("a", "b").reshape(2, 1)]}, separator=sep)
for d in INTS:
    f.case("AsString", {"input": limits(d)}, unknown=False)
f.case("AsString", {"input": np.array([True, False])})
for width, fill in [(6, ""), (6, "0"), (6, "-"), (6, "+"), (6, " "), (-1, "0"), (2, "")]:
    f.case("AsString", {"input": np.int32([[0, 7, -7], [123456789, -5, 42]])}, width=width, fill=fill)

# Shapes only.
for op, name in [("EncodeBase64", "input"), ("UnicodeScript", "input")]:
    f.case(op, {name: np.int32([[65, 66]]) if op == "UnicodeScript" else strings("a", "b")})
f.case("StringToNumber", {"string_tensor": strings("1", "2.5").reshape(2, 1)})
f.case("StringToHashBucketFast", {"input": strings("a", "b")}, num_buckets=10)
f.case("StringToHashBucketStrong", {"input": strings("a", "b")}, num_buckets=10, key=[1, 2])
f.case("StaticRegexFullMatch", {"input": strings("a", "b")}, pattern="a.*")
f.case("RegexFullMatch", {"input": strings("a", "b"), "pattern": strings("a").reshape(())})
f.case("StaticRegexReplace", {"input": strings("a", "b")}, pattern="a", rewrite="c")
f.case("RegexReplace", {"input": strings("a", "b"), "pattern": strings("a").reshape(()), "rewrite": strings("c").reshape(())})
f.case("UnicodeTranscode", {"input": strings("a", "b")}, input_encoding="UTF-8", output_encoding="UTF-16-BE")
f.case("StringSplit", {"input": strings("a b", "c"), "delimiter": strings(" ").reshape(())})
f.case("StringSplitV2", {"input": strings("a b", "c"), "sep": strings(" ").reshape(())})
f.case("StringFormat", {"inputs": [np.int32([1, 2])]}, template="%s")
f.case("SerializeTensor", {"tensor": np.int32([1, 2])})
for keep in (False, True):
    f.case("ReduceJoin", {"inputs": strings("a", "b", "c", "d").reshape(2, 2), "reduction_indices": np.int32([0])}, const=(1,), keep_dims=keep)
f.write()
