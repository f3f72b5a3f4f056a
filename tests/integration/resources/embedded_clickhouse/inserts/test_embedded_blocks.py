"""ClickHouse's framing of compressed data, which JDBC and Go drivers use."""

from __future__ import annotations

import io

import pytest

from resources.embedded_clickhouse.http.blocks import BlockReader, framed

METHODS = {"NONE": 0x02, "LZ4": 0x82, "ZSTD": 0x90}


def unframed(data: bytes) -> bytes:
    return io.BufferedReader(BlockReader(io.BytesIO(data))).read()


def test_a_block_has_the_checksum_that_clickhouse_gives_it() -> None:
    from clickhouse_driver.bufferedreader import CompressedBufferedReader
    from clickhouse_driver.streams.compressed import CompressedBlockInputStream

    class Source(io.BytesIO):
        def read_one(self) -> int:
            return self.read(1)[0]

    text = b"hello world " * 1_000
    framing = framed(text, METHODS["LZ4"])
    stream = CompressedBlockInputStream.__new__(CompressedBlockInputStream)
    stream.raw_fin = Source(framing)
    assert CompressedBufferedReader(stream.read_block, 1 << 20).read(len(text)) == text


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 3_000_000])
def test_what_is_framed_reads_the_same(method: int, size: int) -> None:
    text = bytes(number * number % 251 for number in range(size))
    assert unframed(framed(text, method)) == text


@pytest.mark.parametrize("method", METHODS)
def test_a_result_comes_in_blocks(ask, method: str) -> None:
    query = "SELECT number FROM numbers(300000)"
    answer = ask(query, compress=1, network_compression_method=method)
    assert answer.body[16] == METHODS[method]
    assert unframed(answer.body) == ask(query).body


@pytest.mark.parametrize("format_name", ["JSON", "Parquet", "Native"])
@pytest.mark.parametrize("whole", [0, 1])
def test_blocks_carry_any_format(ask, format_name: str, whole: int) -> None:
    query = f"SELECT number FROM numbers(1000) FORMAT {format_name}"
    answer = ask(query, compress=1, wait_end_of_query=whole)
    assert len(unframed(answer.body)) > 1_000


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_a_body_may_come_in_blocks(ask, table, method: int) -> None:
    name = table("a UInt64")
    data = b"".join(b"%d\n" % number for number in range(400_000))
    answer = ask(
        framed(data[:1_000], method) + framed(data[1_000:], method),
        query=f"INSERT INTO {name} FORMAT TSV",
        decompress=1,
    )
    assert answer.status == 200
    assert ask(f"SELECT count(), sum(a) FROM {name}").text == f"400000\t{400_000 * 399_999 // 2}\n"


def test_a_query_may_come_in_blocks(ask) -> None:
    assert ask(framed(b"SELECT 1"), decompress=1).text == "1\n"


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda data: data[:-1], 33),
        (lambda data: data[:20], 33),
        (lambda data: data[:-1] + bytes([data[-1] ^ 1]), 40),
        (lambda data: bytes([data[0] ^ 1]) + data[1:], 40),
        (lambda data: data + b"x", 33),
        (lambda data: b"1\n2\n" * 10, 12),
    ],
    ids=["cut", "cut in the header", "data", "checksum", "more", "no blocks"],
)
def test_a_spoilt_block_inserts_nothing(ask, table, spoil, code: int) -> None:
    name = table("a UInt64")
    data = framed(b"1\n" * 100_000)
    answer = ask(spoil(data), query=f"INSERT INTO {name} FORMAT TSV", decompress=1)
    assert answer.code == code
    assert ask(f"SELECT count() FROM {name}").text == "0\n"
