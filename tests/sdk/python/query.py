"""Queries over 350 devices and their modules, with azure-iot-hub."""

from azure.iot.device import IoTHubDeviceClient
from azure.iot.hub.models import ExportImportDevice, QuerySpecification, Twin, TwinProperties

from check import client_string, done, fail, holds, refused, registry, same

COUNT = 350
IDS = [f"py-query-{n:03}" for n in range(COUNT)]
OURS = "tags.fleet = 'py'"

manager = registry()


def bulk(what, items):
    for start in range(0, len(items), 100):
        result = manager.bulk_create_or_update_devices(items[start : start + 100])
        same(f"{what} from {start}", (result.is_successful, result.errors), (True, []))


def device(n):
    return ExportImportDevice(
        id=IDS[n],
        import_mode="create",
        status="disabled" if n % 50 == 1 else "enabled",
        tags={"fleet": "py", "site": "ABC"[n % 3], "place": {"floor": n % 5}, "list": [n, n + 1]},
        properties={"desired": {"interval": n, "below": -n, "text": f"No {n}", **({"odd": True} if n % 2 else {})}},
    )


def module(n):
    tags = {"fleet": "py", "kind": "meter" if n % 7 else "valve"}
    desired = {"setpoint": n / 2}
    return ExportImportDevice(
        id=IDS[n], module_id="part", import_mode="create", tags=tags, properties={"desired": desired}
    )


def seed():
    bulk("devices", [device(n) for n in range(COUNT)])
    # A disabled device has no module calls.
    bulk("modules", [module(n) for n in range(COUNT) if n % 50 != 1])
    client = IoTHubDeviceClient.create_from_connection_string(client_string(manager.get_device(IDS[7])))
    client.connect()
    client.patch_twin_reported_properties({"status": "scanning", "parts": [{"t": 1.5}, {"t": [4, 5]}]})
    client.shutdown()


MODULES = [n for n in range(COUNT) if n % 50 != 1]


def pages(text, size=None):
    """Every page of the answer, following the continuation tokens."""
    token = None
    for _ in range(COUNT):
        page = manager.query_iot_hub(QuerySpecification(query=text), token, size)
        yield page
        token = page.continuation_token
        if token is None:
            return
    fail(f"{text}: no last page")


def ids(text, size=None):
    return [twin.device_id for page in pages(text, size) for twin in page.items]


def check_paging():
    text = f"SELECT * FROM devices WHERE {OURS}"
    found = list(pages(text, 100))
    same("pages of 100", [len(page.items) for page in found], [100, 100, 100, 50])
    same("the type of their items", {page.type for page in found}, {"Twin"})
    same("every device once", sorted(twin.device_id for page in found for twin in page.items), IDS)
    same("pages of 7 hold the same", sorted(ids(text, 7)), IDS)
    same("and pages of the hub's own size", sorted(ids(text)), IDS)
    same("and one page for all", [len(page.items) for page in pages(text, 1000)], [COUNT])
    holds(
        "a last page that is full ends it",
        len(list(pages(f"SELECT * FROM devices WHERE {OURS} AND tags.place.floor = 0", 70))) == 1,
    )
    found = list(pages(f"SELECT * FROM devices.modules WHERE {OURS}", 100))
    same("pages of modules", [len(page.items) for page in found], [100, 100, 100, 43])
    same("of type", {page.type for page in found}, {"Twin"})
    rows = sorted((twin.device_id, twin.module_id) for page in found for twin in page.items)
    same("every module once", rows, [(IDS[n], "part") for n in MODULES])
    projected = list(pages(f"SELECT deviceId FROM devices WHERE {OURS}", 200))
    same("pages of a projection", [(page.type, len(page.items)) for page in projected], [("Raw", 200), ("Raw", 150)])


def check_conditions():
    cases = [
        ("tags.site = 'A'", lambda n: n % 3 == 0),
        ("tags.site != 'A'", lambda n: n % 3 != 0),
        ("tags.site <> 'A'", lambda n: n % 3 != 0),
        ("tags.site IN ['A', 'B']", lambda n: n % 3 != 2),
        ("tags.site NIN ['A', 'B']", lambda n: n % 3 == 2),
        ("tags.site NOT IN ['A', 'B']", lambda n: n % 3 == 2),
        ("tags.place.floor = 4 AND properties.desired.interval < 100", lambda n: n % 5 == 4 and n < 100),
        ("properties.desired.interval >= 340 OR properties.desired.interval = 0", lambda n: n >= 340 or n == 0),
        ("NOT (properties.desired.interval > 10)", lambda n: n <= 10),
        ("properties.desired.interval % 100 = 7 AND properties.desired.interval / 2 > 50", lambda n: n in (107, 207, 307)),
        ("IS_DEFINED(properties.desired.odd)", lambda n: n % 2 == 1),
        ("NOT IS_DEFINED(properties.desired.odd)", lambda n: n % 2 == 0),
        ("properties.desired.odd = true", lambda n: n % 2 == 1),
        ("properties.desired.odd != false", lambda n: n % 2 == 1),
        ("properties.desired.missing != 1", lambda n: False),
        ("tags.list[1] = 18", lambda n: n == 17),
        ("18 IN tags.list", lambda n: n in (17, 18)),
        ("tags['place']['floor'] = 3", lambda n: n % 5 == 3),
        ("properties.reported.status = 'scanning'", lambda n: n == 7),
        ("properties.reported.parts[0].t > 1 AND properties.reported.parts[1].t[1] = 5", lambda n: n == 7),
        ("properties.reported.$version = 2", lambda n: n == 7),
        ("IS_DEFINED(properties.reported.$metadata.parts)", lambda n: n == 7),
        ("status = 'disabled'", lambda n: n % 50 == 1),
        ("capabilities.iotEdge = false AND authenticationType = 'sas'", lambda n: True),
        ("lastActivityTime > '2020-01-01T00:00:00Z'", lambda n: n == 7),
        ("STARTSWITH(devices.deviceId, 'py-query-01')", lambda n: 10 <= n < 20),
        ("ENDSWITH(deviceId, '-042')", lambda n: n == 42),
        ("CONTAINS(deviceId, 'query-04')", lambda n: 40 <= n < 50),
        ("LENGTH(properties.desired.text) = 4", lambda n: n < 10),
        ("SUBSTRING(properties.desired.text, 3) = '12'", lambda n: n == 12),
        ("SUBSTRING(properties.desired.text, 3, 1) = '9'", lambda n: str(n)[0] == "9"),
        ("CONCAT(tags.site, '/', properties.desired.text) = 'B/No 4'", lambda n: n == 4),
        ("UPPER(properties.desired.text) = 'NO 5' OR LOWER(properties.desired.text) = 'no 6'", lambda n: n in (5, 6)),
        ("INDEX_OF(deviceId, '349') = 9", lambda n: n == 349),
        ("ABS(properties.desired.below) > 347", lambda n: n > 347),
        ("AS_NUMBER(SUBSTRING(properties.desired.text, 3)) < 3", lambda n: n < 3),
        ("IS_STRING(tags.site) AND IS_NUMBER(tags.list[0]) AND IS_OBJECT(tags.place)", lambda n: True),
        ("IS_BOOL(properties.desired.odd) AND NOT IS_NULL(tags.site)", lambda n: n % 2 == 1),
        ("deviceId in ['py-query-001', 'py-query-999']", lambda n: n == 1),
    ]
    for condition, wanted in cases:
        found = sorted(ids(f"SELECT * FROM devices WHERE {OURS} AND ({condition})"))
        same(condition, found, [IDS[n] for n in range(COUNT) if wanted(n)])
    same("TOP 7", len(ids(f"SELECT TOP 7 * FROM devices WHERE {OURS}")), 7)
    same("TOP 107 over pages", len(ids(f"SELECT TOP 107 * FROM devices WHERE {OURS}", 50)), 107)
    valves = ids(f"SELECT * FROM devices.modules WHERE {OURS} AND tags.kind = 'valve' AND properties.desired.setpoint < 20")
    same("modules by tags and desired", sorted(valves), [IDS[n] for n in MODULES if n % 7 == 0 and n < 40])
    twin = next(pages("SELECT * FROM devices WHERE deviceId = 'py-query-017'")).items[0]
    same("a row is the twin", twin.as_dict(), manager.get_twin("py-query-017").as_dict())
    twin = next(pages("SELECT * FROM devices.modules WHERE deviceId = 'py-query-017' AND moduleId = 'part'")).items[0]
    same("also of a module", twin.as_dict(), manager.get_module_twin("py-query-017", "part").as_dict())
    # Without a lag a write is seen at once.
    change = Twin(tags={"late": True}, properties=TwinProperties(desired={"late": {"r": [1]}}))
    manager.update_twin(IDS[3], change)
    same("a write is seen", ids("SELECT * FROM devices WHERE tags.late = true AND properties.desired.late.r[0] = 1"), [IDS[3]])


def rows(text):
    """The raw rows of an answer: the client keeps what it does not know beside what it knows."""
    items = [item for page in pages(text) for item in page.items]
    return [{**item.as_dict(), **item.additional_properties} for item in items]


def check_projections():
    page = next(pages("SELECT deviceId, tags.site AS place FROM devices WHERE deviceId = 'py-query-004'"))
    same("a projection is raw", page.type, "Raw")
    same(
        "its row",
        {**page.items[0].as_dict(), **page.items[0].additional_properties},
        {"device_id": "py-query-004", "place": "B"},
    )
    found = rows("SELECT DeviceId AS id, tags.list[0] AS first, tags.place FROM devices WHERE deviceId = 'py-query-004'")
    same("with aliases, an element and an object", found, [{"id": "py-query-004", "first": 4, "place": {"floor": 4}}])
    same("COUNT", rows(f"SELECT COUNT() AS n FROM devices WHERE {OURS}"), [{"n": COUNT}])
    same("COUNT of modules", rows(f"SELECT COUNT() AS n FROM devices.modules WHERE {OURS}"), [{"n": len(MODULES)}])
    numbers = rows(
        "SELECT MIN(properties.desired.interval) AS least, MAX(properties.desired.interval) AS most, "
        "SUM(properties.desired.interval) AS sum, AVG(properties.desired.interval) AS mean "
        f"FROM devices WHERE {OURS}"
    )
    same("MIN, MAX, SUM, AVG", numbers, [{"least": 0, "most": 349, "sum": 61075, "mean": 174.5}])
    groups = rows(f"SELECT tags.site AS site, COUNT() AS n FROM devices WHERE {OURS} GROUP BY tags.site")
    same("GROUP BY", sorted((row["site"], row["n"]) for row in groups), [("A", 117), ("B", 117), ("C", 116)])
    groups = rows(
        "SELECT tags.site AS site, MIN(properties.desired.interval) AS least, MAX(properties.desired.interval) AS most, "
        "SUM(properties.desired.interval) AS sum, AVG(properties.desired.interval) AS mean "
        f"FROM devices WHERE {OURS} GROUP BY tags.site"
    )
    found = {row["site"]: (row["least"], row["most"], row["sum"], row["mean"]) for row in groups}
    wanted = {}
    for site in range(3):
        members = range(site, COUNT, 3)
        mean = sum(members) / len(members)
        wanted["ABC"[site]] = (members[0], members[-1], sum(members), int(mean) if mean.is_integer() else mean)
    same("MIN, MAX, SUM, AVG with GROUP BY", found, wanted)
    groups = rows(f"SELECT tags.site, tags.place.floor, COUNT() AS n FROM devices WHERE {OURS} GROUP BY tags.site, tags.place.floor")
    same("GROUP BY two fields", (len(groups), sum(row["n"] for row in groups)), (15, COUNT))
    for wrong, place in [
        ("SELECT * FROM devices WHERE tags.site = = 'A'", "line 1 column 41: expected a field, a value or a function"),
        ("SELECT *\nFROM device", "line 2 column 6: unknown source `device`"),
        ("SELECT * FROM devices WHERE STARTWITH(deviceId, 'x')", "line 1 column 29: unknown function `STARTWITH`"),
    ]:
        error = refused(f"{wrong!r}", 400, ids, wrong)
        same("its error code", error.response.headers["iothub-errorcode"], "ArgumentInvalid")
        holds("and its place", f"ErrorCode:ArgumentInvalid;BadRequest: {place}" in error.response.text, error.response.text)


seed()
check_paging()
check_conditions()
check_projections()
bulk("deleted", [ExportImportDevice(id=name, import_mode="delete") for name in IDS])
same("nothing is left", ids(f"SELECT * FROM devices WHERE {OURS}"), [])
same("nor a module", ids(f"SELECT * FROM devices.modules WHERE {OURS}"), [])
done()
