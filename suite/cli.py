"""The `minzheng` command."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from chassis.migrate import migrate as migrate_service
from chassis.privacy import KeysMissing
from chassis.problems import Problem
from chassis.settings import Settings
from chassis.telemetry import configure_logging
from contracts.topics import TOPICS
from suite import catalogue
from suite.crash import leave_no_core, told_by_type

if TYPE_CHECKING:
    from suite.audit import Audited
    from suite.topic_copy import Part

app = typer.Typer(
    name="minzheng",
    help="民政：区县民政局后台。",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
audit = typer.Typer(help="审计链：核对、换钥、恢复后续链。", no_args_is_help=True)
app.add_typer(audit, name="audit")
keys = typer.Typer(help="个人信息的字段密钥：换钥、换封。", no_args_is_help=True)
app.add_typer(keys, name="keys")
out = Console()

Data = Annotated[Path, typer.Option("--data", help="数据目录")]
ServiceName = Annotated[str, typer.Argument(help="服务名：" + "、".join(catalogue.NAMES))]
Services = Annotated[list[str] | None, typer.Argument(help="服务名；不写则全部")]
DEFAULT_DATA = Path("var/minzheng")
ALL_TOWNS = 22
CaseTowns = Annotated[
    int,
    typer.Option(min=0, max=ALL_TOWNS, help="演示区县中有多少个镇街办理低保申请（每个二十件）"),
]


@app.command()
def run(
    data: Data = DEFAULT_DATA,
    port: Annotated[
        int, typer.Option(min=1024, max=65_000, help="网关端口，其余服务取其后的空闲端口")
    ] = 8000,
    *,
    demo: Annotated[bool, typer.Option("--demo", help="首次启动时建立演示区县")] = False,
    kafka: Annotated[bool, typer.Option("--kafka", help="用 Kafka 代替内置消息日志")] = False,
    case_towns: CaseTowns = ALL_TOWNS,
) -> None:
    """在本机运行全部服务（内置数据库与消息日志）。"""
    from suite.run import run as run_embedded  # noqa: PLC0415 - loads every service

    raise typer.Exit(run_embedded(data, port=port, demo=demo, kafka=kafka, case_towns=case_towns))


@app.command()
def serve(
    service: ServiceName,
    host: Annotated[str, typer.Option(help="监听地址")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="监听端口")] = 8000,
) -> None:
    """运行一个服务的 HTTP 进程，设置取自环境变量。"""
    from suite import processes  # noqa: PLC0415 - heavy

    _must_be(service, (*catalogue.NAMES, "console"))
    processes.serve(service, processes.listen(host, port))


@app.command()
def work(service: ServiceName) -> None:
    """运行一个服务的后台进程：发布事件、消费事件、执行任务。"""
    from suite.processes import do_work  # noqa: PLC0415 - heavy

    _must_be(service, catalogue.NAMES)
    do_work(catalogue.load(service))


@app.command()
def database(service: ServiceName) -> None:
    """在数据库服务器上建立一个服务的数据库与两个角色（可重复执行，数据不变）。"""
    from suite.postgres import make_database  # noqa: PLC0415 - heavy

    _must_be(service, catalogue.NAMES)
    settings = Settings()
    urls = (settings.admin_database_url, settings.owner_database_url, settings.database_url)
    if not all(urls):
        _refuse("请设置 ADMIN_DATABASE_URL、OWNER_DATABASE_URL 与 DATABASE_URL")
    try:
        asyncio.run(make_database(service, *urls))
    except ValueError as error:
        _refuse(str(error))
    out.print(f"{service} 的数据库已建立")


@app.command()
def migrate(service: ServiceName) -> None:
    """迁移一个服务的数据库，并在消息总线上建立主题。"""
    from chassis.bus import open_bus  # noqa: PLC0415 - heavy

    _must_be(service, catalogue.NAMES)
    settings = Settings()
    if not settings.owner_database_url or not settings.database_url:
        _refuse("请设置 DATABASE_URL 与 OWNER_DATABASE_URL")

    async def do() -> None:
        await migrate_service(
            catalogue.load(service), settings.owner_database_url, settings.database_url
        )
        if settings.bus:
            await open_bus(settings.bus).ensure_topics(
                {topic.name: topic.partitions for topic in TOPICS}
            )

    asyncio.run(do())
    out.print(f"{service} 已迁移")


@app.command()
def demo(data: Data = DEFAULT_DATA, case_towns: CaseTowns = ALL_TOWNS) -> None:
    """在运行中的套件里建立演示区县（可重复执行，已有的不会重复）。"""
    from suite.data import DataFolder  # noqa: PLC0415 - heavy
    from suite.demo import build_demo  # noqa: PLC0415 - heavy

    _must_run(data)
    configure_logging(service="suite", process="demo")
    build_demo(DataFolder.at(data), case_towns)


@app.command()
def rebuild(
    service: Annotated[str, typer.Argument(help="服务名")] = "indicator", data: Data = DEFAULT_DATA
) -> None:
    """由事件重新生成一个服务的投影，与现有结果逐项核对后替换。"""
    from suite.operations import FINGERPRINTS, rebuild_service  # noqa: PLC0415 - heavy

    _must_run(data)
    if service not in FINGERPRINTS:
        _refuse(f"没有可重建的投影：{service}")
    raise typer.Exit(rebuild_service(service, data, out))


@app.command(name="dead-letters")
def dead_letters(
    data: Data = DEFAULT_DATA,
    *,
    replay: Annotated[bool, typer.Option("--replay", help="按序重新处理")] = False,
) -> None:
    """列出被搁置的事件；--replay 重新处理。"""
    from suite.operations import dead_letters as show  # noqa: PLC0415 - heavy

    _must_run(data)
    raise typer.Exit(show(data, out, replay=replay))


@app.command()
def backup(
    goal: Annotated[Path, typer.Argument(metavar="文件夹", help="存放备份的新文件夹")],
    data: Data = DEFAULT_DATA,
) -> None:
    """备份正在运行的套件：全部数据库、内置消息日志和密钥，都是同一时刻的。"""
    from suite.backup import BackupError  # noqa: PLC0415 - heavy
    from suite.backup import backup as put_away  # noqa: PLC0415 - as above

    _must_run(data)
    try:
        made = put_away(data, goal)
    except BackupError as error:
        _refuse(str(error))
    size = f"{made.files} 个文件（{made.bytes / 1e6:.0f} MB）"
    out.print(f"已备份 {size}到 {goal}，其中有密钥，请妥善保管")


@app.command()
def restore(
    source: Annotated[Path, typer.Argument(metavar="文件夹", help="备份所在的文件夹")],
    data: Data = DEFAULT_DATA,
    only: Annotated[
        str, typer.Option("--only", help="只恢复这一个服务的数据库，数据目录须已停止运行")
    ] = "",
) -> None:
    """由备份恢复到新的数据目录；或用 --only 只恢复其中一个服务。之后用 run --data 启动。"""
    from suite.backup import BackupError  # noqa: PLC0415 - heavy
    from suite.backup import restore as bring_back  # noqa: PLC0415 - as above
    from suite.restore_one import restore_one  # noqa: PLC0415 - as above

    if only:
        _must_be(only, catalogue.NAMES)
    try:
        made = restore_one(source, data, only) if only else bring_back(source, data)
    except BackupError as error:
        _refuse(str(error))
    if not only:
        out.print(f"已恢复到 {data}：{made.files} 个文件，备份于 {made.made_at}")
        return
    out.print(f"{only} 的数据库已恢复到 {made.made_at} 的状态，其事件暂停发布。")
    out.print(
        f"请启动套件，然后执行 minzheng reconcile {only} --mend --data {data}", soft_wrap=True
    )


@app.command()
def reconcile(
    services: Services = None,
    data: Data = DEFAULT_DATA,
    *,
    mend: Annotated[bool, typer.Option("--mend", help="修复，并结束恢复后的暂停发布")] = False,
) -> None:
    """核对发件箱、主题与收件记录，指出何处不同；--mend 修复。有须人处理的差异时以 1 退出。"""
    from suite.reconcile import look, mend_all  # noqa: PLC0415 - heavy
    from suite.topic_copy import NotMendedError  # noqa: PLC0415 - as above

    parts, reach = _parts(services, data)
    do = mend_all if mend else look
    try:
        code = asyncio.run(do(parts, reach, out))
    except NotMendedError as error:
        _refuse(str(error))
    raise typer.Exit(code)


@app.command()
def republish(services: Services = None, data: Data = DEFAULT_DATA) -> None:
    """消息日志丢失或换过以后：把主题缺少的事件由发件箱按原样重新发布，各消费者从头读起。"""
    from suite.republish import republish as again  # noqa: PLC0415 - heavy
    from suite.topic_copy import NotMendedError  # noqa: PLC0415 - as above

    parts, reach = _parts(services, data)
    try:
        counts = asyncio.run(again(parts, reach))
    except NotMendedError as error:
        _refuse(str(error))
    for name, count in counts.items():
        out.print(f"{name}：{count} 条事件交由后台进程重新发布")


@app.command()
def contracts(
    *, check: Annotated[bool, typer.Option("--check", help="只核对，不写文件")] = False
) -> None:
    """由代码生成 contracts/ 下的 JSON Schema、AsyncAPI 与 OpenAPI。"""
    from suite.contracts import differences, write  # noqa: PLC0415 - heavy

    changed = differences() if check else write()
    for name in changed:
        out.print(("与代码不符：" if check else "已写：") + name)
    raise typer.Exit(1 if check and changed else 0)


@app.command()
def doctor(data: Data = DEFAULT_DATA) -> None:
    """体检：哪些在运行、哪些落后、哪些被搁置、哪些将到期。"""
    from suite.doctor import examine  # noqa: PLC0415 - heavy

    findings = asyncio.run(examine(data))
    table = Table("项目", "状态", "说明")
    for finding in findings:
        table.add_row(finding.subject, finding.word, finding.detail)
    out.print(table)
    raise typer.Exit(0 if all(finding.well for finding in findings) else 1)


@app.command()
def client(
    client_id: Annotated[str, typer.Argument(help="接入方标识，如 city-platform")],
    organisation: Annotated[str, typer.Option(help="所属单位")],
    scope: Annotated[str, typer.Option(help="权限，以空格分隔，如 “plan:read relief:read”")],
    division: Annotated[str, typer.Option(help="管辖区划的 12 位代码，以空格分隔")],
    data: Data = DEFAULT_DATA,
    file: Annotated[
        Path | None, typer.Option(help="写入文件而不显示；已登记过的保持不变（供工作页面使用）")
    ] = None,
) -> None:
    """登记一个接入方并显示其密钥（只显示这一次）。"""
    from suite.clients import NewClient, make_client, make_clients  # noqa: PLC0415 - heavy
    from suite.data import DataFolder  # noqa: PLC0415 - heavy

    url = Settings().database_url
    if not url:
        _must_run(data)
        folder = DataFolder.at(data)
        url, _ = folder.urls(folder.postgres(), "gateway")
    made = NewClient(
        client_id, client_id, organisation, tuple(scope.split()), tuple(division.split())
    )
    try:
        if file is None:
            out.print(asyncio.run(make_client(url, made)))
        else:
            asyncio.run(make_clients(url, [made], file))
    except (ValueError, Problem) as error:
        _refuse(str(error) or "标识已被使用，或权限、区划的写法不对")


@audit.command(name="verify")
def audit_verify(
    service: Annotated[str, typer.Option("--service", help="只核对一个服务")] = "",
    data: Data = DEFAULT_DATA,
) -> None:
    """核对审计链：指出被改动、删除、插入、调换的记录，以及被截断或重写的链；有则以 1 退出。"""
    from suite import audit as chains  # noqa: PLC0415 - heavy

    raise typer.Exit(chains.show(_chains(service, data), out))


@audit.command(name="resume")
def audit_resume(
    service: Annotated[str, typer.Option("--service", help="数据库刚恢复过的服务")],
    data: Data = DEFAULT_DATA,
) -> None:
    """由备份恢复数据库以后、后台进程启动以前：声明链上缺少的一段，此后可继续核对。"""
    (chain,) = _chains(service, data)
    position = asyncio.run(chain.resume())
    out.print(f"{service}：审计链自第 {position} 环继续")


@audit.command(name="rotate-key")
def audit_rotate_key(data: Data = DEFAULT_DATA) -> None:
    """新增审计链的密钥，后台进程重启后以其封存；旧密钥留作核对。"""
    from chassis.audit_keys import rotate  # noqa: PLC0415 - heavy
    from suite.data import DataFolder  # noqa: PLC0415 - heavy

    try:
        number = rotate((Settings().keys or DataFolder.at(data).keys) / "audit")
    except KeysMissing as error:
        _refuse(f"没有审计密钥：{error}")
    out.print(f"审计链的密钥 {number} 已新增，重启后台进程后启用")


@keys.command(name="rotate")
def keys_rotate(data: Data = DEFAULT_DATA) -> None:
    """新增一把字段密钥，各进程重启后以其加密；旧密钥仍可解密。"""
    from chassis.privacy import rotate  # noqa: PLC0415 - heavy
    from suite.data import DataFolder  # noqa: PLC0415 - heavy

    try:
        number = rotate((Settings().keys or DataFolder.at(data).keys) / "persons")
    except KeysMissing as error:
        _refuse(f"没有密钥：{error}")
    out.print(f"字段密钥 {number} 已新增；重启各进程后，用 minzheng keys reseal 换封旧数据")


@keys.command(name="reseal")
def keys_reseal(
    service: Annotated[str, typer.Option("--service", help="服务名（设置取自环境变量时）")] = "",
    data: Data = DEFAULT_DATA,
) -> None:
    """各进程重启后：把仍以旧密钥加密的字段换成新密钥，业务照常进行。"""
    from suite.operations import reseal_fields, reseal_service  # noqa: PLC0415 - heavy

    if not Settings().database_url:
        _must_run(data)
        reseal_fields(data, out)
        return
    _must_be(service, catalogue.NAMES)
    out.print(f"{service}：已换封 {asyncio.run(reseal_service(service))} 项")


def _chains(service: str, data: Path) -> "list[Audited]":
    """The chains to look at: of the service that the environment tells, or of a data folder."""
    from suite import audit as chains  # noqa: PLC0415 - heavy

    if service:
        _must_be(service, catalogue.NAMES)
    settings = Settings()
    try:
        if not settings.owner_database_url:
            _must_run(data)
            return chains.in_folder(data, (service,) if service else catalogue.NAMES)
        if not service or not settings.database_url or not settings.anchor_database_urls:
            _refuse("请用 --service 指明服务，并设置 DATABASE_URL 与 MINZHENG_ANCHOR_DATABASE_URLS")
        return [chains.of_settings(service, settings)]
    except KeysMissing as error:
        _refuse(f"没有审计密钥：{error}")


def _parts(services: list[str] | None, data: Path) -> "tuple[list[Part], list[Part]]":
    """The services asked for, and all within reach: by the environment one, else all of a run."""
    from suite.topic_copy import part_by, parts_in  # noqa: PLC0415 - heavy

    for name in services or ():
        _must_be(name, catalogue.NAMES)
    settings = Settings()
    if not settings.owner_database_url:
        _must_run(data)
        return parts_in(data, tuple(services or catalogue.NAMES)), parts_in(data)
    if not services or len(services) > 1 or not settings.bus:
        _refuse("请指明一个服务，并设置 OWNER_DATABASE_URL 与 MINZHENG_KAFKA")
    part = part_by(settings, services[0])
    return [part], [part]


def _must_run(data: Path) -> None:
    if not (data / "endpoints.json").exists():
        _refuse(f"{data} 中没有运行中的套件，请先 minzheng run --data {data}")


def _must_be(service: str, names: tuple[str, ...]) -> None:
    if service not in names:
        _refuse(f"没有服务 {service}；可用的有：{'、'.join(names)}")


def _refuse(reason: str) -> NoReturn:
    Console(stderr=True).print(reason, soft_wrap=True)
    raise typer.Exit(1)


def main() -> None:
    leave_no_core()
    configure_logging(service="suite", process="minzheng")
    with told_by_type():
        app()
