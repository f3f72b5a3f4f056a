"""An inferred contract loads the file it was inferred from, with nothing rejected."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from social_assets.contracts.contract import Contract
from social_assets.contracts.registry import load_contract
from social_assets.operate.contracts.infer import MOST_COLUMNS, CannotInferError, infer
from social_assets.operate.contracts.try_file import try_file

FILES = {
    "posts.csv": (
        "Post ID,Created At,Likes,Reach (%),Text\n"
        '007,2026-01-01 10:00:00,3,1.5,"two\nlines"\n008,2026-01-02T10:00:00Z,NA,2,b\n',
        {"post_id": "str", "created_at": "datetime", "likes": "int", "reach": "float"},
        ("post_id",),
        "created_at",
    ),
    "semis.csv": (
        "from;source;1st\nann;web;03/07/2026\nbob;app;04/07/2026\n",
        {"from_value": "str", "source_value": "str", "n_1st": "str"},
        ("record_key",),
        None,
    ),
    "tweets.json": (
        '[{"id_str": "9", "user": {"id": 1, "name": "x"}, "tags": ["a"], "ok": true},'
        ' {"id_str": "10", "user": {"id": 2, "name": null}, "tags": [], "ok": false}]',
        {"id_str": "str", "user_id": "str", "user_name": "str", "tags": "list[str]", "ok": "bool"},
        ("id_str",),
        None,
    ),
    "page.json": (
        '{"data": [{"id": "a", "at": 1538889971}, {"id": "b", "at": 1538889999}], "paging": {}}',
        {"id": "str", "at": "datetime"},
        ("id",),
        "at",
    ),
    "epochs.ndjson": (
        '{"id": "a", "created_at": 1538889971.25, "sent_at": "1.538889971e9"}\n'
        '{"id": "b", "created_at": 1538889971123.5, "sent_at": "2026-01-01T00:00:00Z"}\n',
        {"id": "str", "created_at": "datetime", "sent_at": "datetime"},
        ("id",),
        "created_at",
    ),
    "meta_es.csv": (
        "Identificador de la publicación;Descripción;Alcance\n00180;uno;5\n00181;dos;7\n",
        {"identificador_de_la_publicacion": "str", "descripcion": "str", "alcance": "int"},
        ("identificador_de_la_publicacion",),
        None,
    ),
    "repeated.csv": (
        "id,text,text,at,n_1,n\n1,a,b,2026-01-01,x,1\n2,,c,2026-01-02,y,2\n",
        {"text": "str", "at": "datetime", "n_1": "str", "n": "int"},
        ("id",),
        "at",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_an_inferred_contract_accepts_its_file(name: str, tmp_path: Path) -> None:
    text, types, key, event_time = FILES[name]
    file = tmp_path / name
    file.write_text(text)
    module = tmp_path / "inferred.py"
    module.write_text(infer([file]))
    contract = load_contract(module)
    assert isinstance(contract, Contract), contract
    written = module.read_text()
    assert [c for c, kind in types.items() if f"    {c}: {kind} = pa.Field(" not in written] == []
    assert (contract.key, contract.event_time) == (key, event_time)
    trial = try_file(contract, file)
    assert (trial.accepted, trial.rejected, trial.reasons) == (2, 0, ())


def test_lists_of_parquet_are_lists_and_objects_are_left_out(tmp_path: Path) -> None:
    file = tmp_path / "x.parquet"
    rows = [{"id": "a", "tags": ["x"], "more": {"n": 1}}, {"id": "b", "tags": [], "more": None}]
    pq.write_table(pa.Table.from_pylist(rows), file)
    module = tmp_path / "inferred.py"
    module.write_text(infer([file], "things"))
    assert "more" not in module.read_text()
    contract = load_contract(module)
    assert isinstance(contract, Contract), contract
    assert contract.columns["tags"].type == "strings"
    assert try_file(contract, file).accepted == 2


def accepted(file: Path, tmp_path: Path) -> str:
    """The text of the contract that is inferred from a file, after it has accepted all of it."""
    module = tmp_path / "inferred.py"
    module.write_text(infer([file]))
    contract = load_contract(module)
    assert isinstance(contract, Contract), contract
    trial = try_file(contract, file)
    assert trial.accepted > 0
    assert trial.reasons == ()
    return module.read_text()


@pytest.mark.parametrize(
    ("name", "content", "declared"),
    [
        (
            "umsatz.csv",
            "name;betrag\ncaf\xe9;1,5\nb;2.000,75\n".encode("cp1252"),
            "csv=CsvFormat(delimiter=';', encoding='cp1252', decimal=',')",
        ),
        ("tabs.tsv", b"name\tcount\na\t1\nb\t2\n", r"csv=CsvFormat(delimiter='\t')"),
        ("quotes.csv", b"'name','n'\n'a','1'\n'b','2'\n", """csv=CsvFormat(quote="'")"""),
        (
            "ratings.dat",
            b"1::10::3.5\n2::20::4\n3::30::4.5\n",
            "csv=CsvFormat(delimiter='::', header=('column_1', 'column_2', 'column_3'))",
        ),
        (
            "plain.csv",
            b"1,10,3.5\n2,20,4\n",
            "csv=CsvFormat(header=('column_1', 'column_2', 'column_3'))",
        ),
        (
            "wrapped.json",
            b'{"response": {"items": [{"id": "a", "n": 1}, {"id": "b", "n": 2}]}}',
            "records_at='response.items'",
        ),
        (
            "pages.ndjson",
            b'{"data": [{"id": "a"}, {"id": "b"}], "p": 1}\n{"data": [{"id": "c"}], "p": 2}\n',
            "records_at='data'",
        ),
    ],
)
def test_the_form_of_files_is_declared_where_it_is_not_the_default(
    name: str, content: bytes, declared: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    assert f"    {declared},\n" in accepted(tmp_path / name, tmp_path)


def test_the_default_form_is_not_declared(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("name,n\na,1.5\nb,2\n")
    (tmp_path / "b.json").write_text('[{"id": "a"}, {"id": "b"}]')
    for name in ("a.csv", "b.json"):
        written = accepted(tmp_path / name, tmp_path)
        assert "csv=" not in written
        assert "records_at" not in written


def test_what_only_one_of_several_files_has_is_left_to_detection(tmp_path: Path) -> None:
    one, other = tmp_path / "one.csv", tmp_path / "other.csv"
    one.write_text("name;n\na;1\n")
    other.write_text("name,n\nb,2\n")
    assert "csv=" not in infer([one, other])


@pytest.mark.parametrize(
    ("values", "declared"),
    [
        (
            ("03/07/2026", "04/07/2026"),
            "    # TO DO: in dates such as 03/07/2026, the day or the month may stand first. "
            "Make it a\n"
            '    # datetime, with metadata={"time_formats": ["%d/%m/%Y"]} or "%m/%d/%Y".\n'
            "    day: str = ",
        ),
        (
            ("24.07.2026", "03.08.2026"),
            '    day: datetime = pa.Field(metadata={"time_formats": ["%d',
        ),
        (
            ("3/4/2026 9:05", "2/24/2026 11:35"),
            '    day: datetime = pa.Field(metadata={"time_formats": ["%m/%d/%Y %H:%M"]}',
        ),
        (("24/07/2026", "07/24/2026"), "    day: str = "),
        (("1/2", "3/4"), "    day: str = "),
    ],
)
def test_dates_in_figures_are_declared_or_left_with_a_note(
    values: tuple[str, str], declared: str, tmp_path: Path
) -> None:
    file = tmp_path / "days.csv"
    file.write_text("name,day\n" + "".join(f"n{value},{value}\n" for value in values))
    assert declared in accepted(file, tmp_path)


def test_a_repeated_name_of_a_header_is_one_column(tmp_path: Path) -> None:
    """Its first value counts; a column `text_1`, as a reader may call the second, has none."""
    file, module = tmp_path / "posts.csv", tmp_path / "inferred.py"
    file.write_text("id,text,text,at\n1,a,b,2026-01-01\n2,,c,2026-01-02\n")
    module.write_text(infer([file]))
    contract = load_contract(module)
    assert isinstance(contract, Contract), contract
    assert "text_1" not in contract.columns
    assert [row["text"] for row in try_file(contract, file).rows] == ["a", "c"]


def test_of_too_many_columns_those_that_matter_are_named(tmp_path: Path) -> None:
    """Of 2,008 columns the engine had no memory for one record, after seven minutes."""
    file, module = tmp_path / "wide.csv", tmp_path / "inferred.py"
    names = [f"Extra {number}" for number in range(MOST_COLUMNS)]
    file.write_text(",".join(["id", *names]) + "\n" + ",".join("1" * (len(names) + 1)) + "\n")
    with pytest.raises(CannotInferError, match=r"wide.csv has 201 columns.*--column NAME"):
        infer([file])
    module.write_text(infer([file], only=["id", "Extra 7"]))
    contract = load_contract(module)
    assert isinstance(contract, Contract), contract
    assert [*contract.columns] == ["id", "extra_7"]
    assert try_file(contract, file).accepted == 1


def test_a_column_that_no_file_has_is_named(tmp_path: Path) -> None:
    file = tmp_path / "few.csv"
    file.write_text("id,text\n1,a\n")
    with pytest.raises(CannotInferError, match="no file has the column Text"):
        infer([file], only=["id", "Text"])
