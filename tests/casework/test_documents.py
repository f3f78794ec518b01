"""Decision documents: kept as made, shown from what is kept (社会救助暂行办法 art. 65: reasons)."""

from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
from jinja2 import UndefinedError

from casework import documents, repository
from casework.sealed import canonical
from chassis.privacy import Cell
from tests.casework.conftest import CLERK, Permits
from tests.casework.toy_matter import SIDE, TEMPLATES, decision

KEPT = {
    "organ": "某局",
    "date": "2025-03-03",
    "number": "玩许〔2025〕1号",
    "title": "决定书",
    "template_version": 1,
    "amount": "1",
}


async def made(permits: Permits) -> tuple[str, str]:
    case = await permits.granted()
    (row,) = await permits.running.rows("SELECT id FROM case_document")
    return case, f"cases/{case}/documents/{row['id']}"


class TestCanonical:
    def test_the_order_of_keys_makes_no_other_digest(self) -> None:
        one = {"b": [Decimal("1.50"), None], "a": {"d": True, "c": "低保"}}
        other = {"a": {"c": "低保", "d": True}, "b": (Decimal("1.50"), None)}
        assert canonical(one) == canonical(other) == '{"a":{"c":"低保","d":true},"b":["1.50",null]}'

    def test_a_float_is_no_amount(self) -> None:
        with pytest.raises(TypeError, match="float"):
            canonical({"amount": 1.5})


class TestPage:
    def test_what_was_typed_is_text_and_no_markup(self) -> None:
        page = documents.page(TEMPLATES, "permit", {**KEPT, "addressee": "<script>alert(1)"})
        assert "<script>" not in page
        assert "&lt;script&gt;alert(1)：" in page

    def test_a_template_that_shows_more_than_an_old_snapshot_holds_prints_it(
        self, tmp_path: Path
    ) -> None:
        (tmp_path / "permit.html").write_text(
            """{% extends "document.html" %}{% block body %}<p>自{{ since|day }}，{{ holder.name }}
            {{ holder.town.name }}{% for one in lines %}{{ one }}{% endfor %}。</p>{% endblock %}"""
        )
        assert "<p>自，" in documents.page(tmp_path, "permit", KEPT)

    async def test_a_document_is_not_made_without_what_its_template_shows(
        self, permits: Permits
    ) -> None:
        case = await permits.open()
        async with permits.running.runtime.database.transaction(
            actor=CLERK, organisation="镇", units=[SIDE]
        ) as session:
            file = await repository.find(session, [SIDE], UUID(case), lock=True)
            assert file is not None
            with pytest.raises(UndefinedError, match="amount"):
                await documents.make(
                    session,
                    file,
                    templates=TEMPLATES,
                    kind="permit",
                    title="决定书",
                    number="玩许〔2025〕1号",
                    snapshot={},
                )
            assert await repository.documents_of(session, file.id) == []

    def test_an_old_documents_template_is_kept_beside_the_new_one(self) -> None:
        old = documents.page(TEMPLATES, "permit", {**KEPT, "template_version": 0})
        assert "旧版" in old
        assert "旧版" not in documents.page(TEMPLATES, "permit", KEPT)

    async def test_it_prints_number_reasons_remedies_organ_and_date(self, permits: Permits) -> None:
        case, path = await made(permits)
        answer = await permits.get(f"{path}/page")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/html")
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        for text in (
            *("准予许可决定书", "玩许〔2025〕1号", "张三丰", "准予许可，金额850.00元。"),
            *("家庭人均月收入", "640.00元", "低于770.00元", "2025年3月1日", "玩具条例第九条"),
            *("收入变化", "行政复议", "渝北区民政局", "2025年3月12日", "size: A4"),
        ):
            assert text in answer.text, text
        assert ("read case_document.snapshot", path.rsplit("/", 1)[1]) in await permits.audited()
        assert case


class TestSnapshot:
    async def test_the_snapshot_is_sealed_and_shown_as_data(self, permits: Permits) -> None:
        case, path = await made(permits)
        (row,) = await permits.running.rows("SELECT * FROM case_document")
        assert "张三丰".encode() not in row["snapshot"]
        shown = (await permits.get(path)).json()
        assert shown["snapshot"]["addressee"] == "张三丰"
        assert shown["snapshot"]["reasons"][0]["source_day"] == "2025-03-01"
        assert shown["digest"] == row["digest"]
        listed = (await permits.get(f"cases/{case}/documents")).json()["items"]
        assert [one["number"] for one in listed] == ["玩许〔2025〕1号"]
        assert "snapshot" not in listed[0]

    async def test_a_snapshot_changed_behind_the_application_is_refused(
        self, permits: Permits
    ) -> None:
        _, path = await made(permits)
        document_id = UUID(path.rsplit("/", 1)[1])
        ring = permits.running.runtime.key_ring
        forged = canonical({**decision("张三丰"), "amount": "9999.00"})
        sealed = ring.seal(forged, Cell("case_document", "snapshot", document_id))
        await permits.running.rows(
            "UPDATE case_document SET snapshot = $1 WHERE id = $2", bytes(sealed), document_id
        )
        for shown in (path, f"{path}/page"):
            answer = await permits.get(shown)
            assert answer.status_code == 500
            assert answer.json()["type"] == "urn:minzheng:problem:document-changed"
            assert "9999" not in answer.text


class TestDelivery:
    async def test_recorded_once_with_who_received_it_sealed(self, permits: Permits) -> None:
        case, path = await made(permits)
        body = {"how": "in_person", "on": "2025-03-12", "received_by": "张三丰"}

        async def deliver(**changed: str) -> int:
            headers = permits.headers() | {"If-Match": await permits.version(case)}
            answer = await permits.running.http.post(
                f"/v1/toy/{path}/delivery", json=body | changed, headers=headers
            )
            return answer.status_code

        assert await deliver(on="2025-03-13") == 422
        assert await deliver(on="2025-03-11") == 422
        assert await deliver(how="pigeon") == 422
        assert await deliver() == 200
        assert await deliver() == 409
        (row,) = await permits.running.rows("SELECT * FROM case_document")
        assert (str(row["delivered_on"]), row["delivered_how"]) == ("2025-03-12", "in_person")
        assert "张三丰".encode() not in row["received_by"]
        assert row["unit_id"] == SIDE

    async def test_it_takes_the_scope_and_the_version(self, permits: Permits) -> None:
        case, path = await made(permits)
        body = {"how": "mail", "on": "2025-03-12", "received_by": "张三丰"}
        url = f"/v1/toy/{path}/delivery"
        post = permits.running.http.post
        assert (await post(url, json=body, headers=permits.headers("read"))).status_code == 403
        assert (await post(url, json=body, headers=permits.headers())).status_code == 428
        stale = permits.headers() | {"If-Match": '"1"'}
        assert (await post(url, json=body, headers=stale)).status_code == 412
        current = permits.headers() | {
            "If-Match": await permits.version(case),
            "Idempotency-Key": "delivery-1",
        }
        first = await post(url, json=body, headers=current)
        again = await post(url, json=body, headers=current)
        assert (first.status_code, again.status_code) == (200, 200)
        assert again.headers["idempotency-replayed"] == "true"
