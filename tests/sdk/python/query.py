"""Queries over 250 devices and their modules, with azure-iot-hub."""

from azure.iot.hub.models import ExportImportDevice, QuerySpecification

from check import done, fail, holds, refused, registry, same

COUNT = 250
IDS = [f"py-query-{n:03}" for n in range(COUNT)]

manager = registry()


def seed():
    for start in range(0, COUNT, 100):
        batch = [
            ExportImportDevice(
                id=IDS[n],
                import_mode="create",
                status="disabled" if n % 50 == 1 else "enabled",
                tags={"fleet": "py", "site": "ABC"[n % 3], "place": {"floor": n % 5}, "list": [n, n + 1]},
                properties={"desired": {"interval": n, **({"odd": True} if n % 2 else {})}},
            )
            for n in range(start, min(start + 100, COUNT))
        ]
        same(f"devices from {start}", manager.bulk_create_or_update_devices(batch).is_successful, True)
    for n in range(0, COUNT, 10):
        manager.create_module_with_sas(IDS[n], "meter", "", "", "")


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
    text = "SELECT * FROM devices WHERE tags.fleet = 'py'"
    found = list(pages(text, 100))
    same("pages of 100", [len(page.items) for page in found], [100, 100, 50])
    same("the type of their items", {page.type for page in found}, {"Twin"})
    same("every device once", sorted(twin.device_id for page in found for twin in page.items), IDS)
    same("pages of 7 hold the same", sorted(ids(text, 7)), IDS)
    same("and pages of the hub's own size", sorted(ids(text)), IDS)
    holds(
        "a last page that is full ends it",
        len(list(pages("SELECT * FROM devices WHERE tags.fleet = 'py' AND tags.place.floor = 0", 50))) == 1,
    )
    found = list(
        pages("SELECT * FROM devices.modules WHERE moduleId = 'meter' AND STARTSWITH(deviceId, 'py-query-')", 10)
    )
    same("pages of modules", [len(page.items) for page in found], [10, 10, 5])
    same("every module once", sorted(twin.device_id for page in found for twin in page.items), IDS[::10])
    same("which name the module", {twin.module_id for page in found for twin in page.items}, {"meter"})


def check_conditions():
    cases = [
        ("tags.site = 'A'", lambda n: n % 3 == 0),
        ("tags.site != 'A'", lambda n: n % 3 != 0),
        ("tags.site IN ['A', 'B']", lambda n: n % 3 != 2),
        ("tags.site NIN ['A', 'B']", lambda n: n % 3 == 2),
        ("tags.place.floor = 4 AND properties.desired.interval < 100", lambda n: n % 5 == 4 and n < 100),
        ("properties.desired.interval >= 240 OR properties.desired.interval = 0", lambda n: n >= 240 or n == 0),
        ("NOT (properties.desired.interval > 10)", lambda n: n <= 10),
        ("IS_DEFINED(properties.desired.odd)", lambda n: n % 2 == 1),
        ("properties.desired.odd = true", lambda n: n % 2 == 1),
        ("tags.list[1] = 18", lambda n: n == 17),
        ("status = 'disabled'", lambda n: n % 50 == 1),
        ("ENDSWITH(deviceId, '-042')", lambda n: n == 42),
        ("CONTAINS(deviceId, 'query-04')", lambda n: 40 <= n < 50),
        ("deviceId in ['py-query-001', 'py-query-999']", lambda n: n == 1),
    ]
    for condition, wanted in cases:
        found = sorted(ids(f"SELECT * FROM devices WHERE tags.fleet = 'py' AND ({condition})"))
        same(condition, found, [IDS[n] for n in range(COUNT) if wanted(n)])
    same("TOP 7", len(ids("SELECT TOP 7 * FROM devices WHERE tags.fleet = 'py'")), 7)
    twin = next(pages("SELECT * FROM devices WHERE deviceId = 'py-query-017'")).items[0]
    same("a row is the twin", twin.as_dict(), manager.get_twin("py-query-017").as_dict())


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
    same("COUNT", rows("SELECT COUNT() AS n FROM devices WHERE tags.fleet = 'py'"), [{"n": COUNT}])
    numbers = rows(
        "SELECT MIN(properties.desired.interval) AS least, MAX(properties.desired.interval) AS most, "
        "SUM(properties.desired.interval) AS sum, AVG(properties.desired.interval) AS mean "
        "FROM devices WHERE tags.fleet = 'py'"
    )
    same("MIN, MAX, SUM, AVG", numbers, [{"least": 0, "most": 249, "sum": 31125, "mean": 124.5}])
    groups = rows("SELECT tags.site AS site, COUNT() AS n FROM devices WHERE tags.fleet = 'py' GROUP BY tags.site")
    same("GROUP BY", sorted((row["site"], row["n"]) for row in groups), [("A", 84), ("B", 83), ("C", 83)])
    error = refused("a query that cannot be read", 400, ids, "SELECT * FROM devices WHERE tags.site = = 'A'")
    same("its error code", error.response.headers["iothub-errorcode"], "ArgumentInvalid")


seed()
check_paging()
check_conditions()
check_projections()
for start in range(0, COUNT, 100):
    gone = [ExportImportDevice(id=name, import_mode="delete") for name in IDS[start : start + 100]]
    same(f"deleted from {start}", manager.bulk_create_or_update_devices(gone).is_successful, True)
same("nothing is left", ids("SELECT * FROM devices WHERE tags.fleet = 'py'"), [])
done()
