"""The house is as docs/architecture.md says, and what stands in two places agrees."""

import ast
import re
import tomllib
from pathlib import Path

import pytest
import yaml

from rehearsal.export.settings import TOOLS

ROOT = Path(__file__).resolve().parents[2]
CORE = {
    "model",
    "errors",
    "files",
    "seeds",
    "logs",
    "process_lifetime",
    "geography",
    "machine",
    "compiled_code",
    "yaml_files",
}
# each room imports from the core, itself and those before it; the last three are entrances
ROOMS = [
    "formats",
    "demography",
    "genomes",
    "phenotypes",
    "truth",
    "realism",
    "export",
    "manifest",
    "stores",
    "web",
    "masked_sums",
    "analyses",
    "node",
    "catalogue",
    "network",
    "evaluation",
    "attack",
    "loadtest",
    "stories",
    "policy",
    "report",
    "config",
    "dataset",
    "cli",
]
CONFIG = yaml.safe_load((ROOT / "config/config.yaml").read_text())
SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())


def imported_parts(path):
    """The modules of the library that a module imports: {'genomes.blocks', 'model', ...}."""
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            members = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [one if module_file(one[10:]) else node.module for one in members]
        for name in names:
            if name.startswith("rehearsal."):
                yield name.removeprefix("rehearsal.")


def modules():
    """Every module of the library by its name below ``rehearsal``."""
    for path in sorted((ROOT / "rehearsal").rglob("*.py")):
        parts = path.relative_to(ROOT / "rehearsal").with_suffix("").parts
        yield ".".join(parts).removesuffix(".__init__"), path


def test_every_module_is_in_a_room_or_in_the_core():
    places = {name.split(".")[0] for name, _ in modules()} - {"__init__", "__main__"}
    assert places == CORE | set(ROOMS)


@pytest.mark.parametrize("room", [*sorted(CORE), *ROOMS])
def test_a_room_imports_only_from_those_above_it(room):
    allowed = CORE | set(ROOMS[: ROOMS.index(room) + 1] if room in ROOMS else [])
    for name, path in modules():
        if name.split(".")[0] == room:
            parts = {other.split(".")[0] for other in imported_parts(path)} - {"__version__"}
            assert parts <= allowed, f"{path} imports {parts - allowed}"


NODE = [
    "privacy",
    "access",
    "settings",
    "beacon",
    "airlock",
]  # then its other APIs, then what serves them
APIS = {"htsget", "matchmaker", "scoring", "alerts", "wes"}


def test_the_rooms_of_the_node_have_an_order_too():
    for name, path in modules():
        room = name.split(".")[1] if name.startswith("node.") else ""
        if room in NODE or room in APIS:
            above = NODE[: NODE.index(room) + 1] if room in NODE else [*NODE, room]
            imported = {
                other.split(".")[1] for other in imported_parts(path) if other[:5] == "node."
            }
            assert imported <= set(above), f"{path} imports {imported - set(above)}"


def test_no_modules_import_each_other_in_a_circle():
    for name, _ in modules():
        assert f"rehearsal.{name}" not in modules_behind(name, with_packages=False), name


def test_the_library_knows_nothing_of_snakemake():
    for path in (ROOT / "rehearsal").rglob("*.py"):
        assert not re.search(r"^\s*(import|from) snakemake", path.read_text(), re.M), path


PASS = ("carriers", "carrier_kernels", "allele_kernels")  # the compiled pass over carriers
TRUTHS = [name for name, _ in modules() if name.startswith(("truth", "stories.expected"))]


@pytest.mark.parametrize("truth", TRUTHS)
def test_the_truth_shares_no_code_with_what_it_judges(truth):
    forbidden = {"rehearsal.node", "rehearsal.export", "rehearsal.stores"}
    forbidden |= {f"rehearsal.genomes.{name}" for name in PASS}
    forbidden |= {"rehearsal.network", "rehearsal.evaluation"}
    for module, way in modules_behind(truth).items():
        assert not any(f"{module}.".startswith(f"{name}.") for name in forbidden), way


def test_imports_are_followed_through_other_modules():
    """The suite is sent by the network's client, which needs the nodes: found at a distance."""
    found = modules_behind("evaluation.suite_run")
    assert "rehearsal.network.client" in found
    assert any(name.startswith("rehearsal.node.") for name in found)
    assert "rehearsal.node" not in {f"rehearsal.{name}" for name in direct("evaluation.suite_run")}


def module_file(name):
    """The file of a module of the library; None for names that are none, such as functions."""
    path = ROOT / "rehearsal" / name.replace(".", "/")
    files = (path.with_suffix(".py"), path / "__init__.py")
    return next((file for file in files if file.is_file()), None)


def direct(name):
    return set(imported_parts(module_file(name)))


def modules_behind(name, with_packages=True):
    """All modules of the library that one needs, at whatever distance: {module: way to it}."""
    found, waiting = {}, [(name, (name,))]
    while waiting:
        module, way = waiting.pop()
        packages = (
            [module.rsplit(".", n)[0] for n in range(1, module.count(".") + 1)]
            if with_packages
            else []
        )
        for other in {*direct(module), *packages}:
            if module_file(other) is not None and f"rehearsal.{other}" not in found:
                found[f"rehearsal.{other}"] = " -> ".join((*way, other))
                waiting.append((other, (*way, other)))
    return found


def leaves(schema, prefix=""):
    for key, rule in schema["properties"].items():
        if "properties" in rule:
            yield from leaves(rule, f"{prefix}{key}.")
        else:
            yield prefix + key


def config_leaves(config, schema, prefix=""):
    for key, value in config.items():
        rule = schema["properties"].get(key, {})
        if "properties" in rule:
            yield from config_leaves(value, rule, f"{prefix}{key}.")
        else:
            yield prefix + key


def test_config_and_schema_name_the_same_keys():
    assert set(leaves(SCHEMA)) == set(config_leaves(CONFIG, SCHEMA))


def described(schema, place=""):
    """The description of each key of a schema, those of entries of lists too, by dotted name."""
    for key, rule in schema.get("properties", {}).items():
        yield f"{place}{key}", rule.get("description", "")
        yield from described(rule, f"{place}{key}.")
        yield from described(rule.get("items", {}), f"{place}{key}[].")


@pytest.mark.parametrize(
    "file", sorted((ROOT / "workflow/schemas").iterdir()), ids=lambda p: p.stem
)
def test_every_key_of_a_schema_has_a_description(file):
    schema = yaml.safe_load(file.read_text())
    assert [key for key, text in described(schema) if not text] == []


def test_the_guide_to_the_configuration_names_only_keys_that_exist():
    guide = (ROOT / "config/README.md").read_text()
    named = set(re.findall(r"`([a-z_]+\.[a-z_.]+)`", guide)) - {"config.yaml"}
    files = {name for name in named if name.endswith((".yaml", ".tsv", ".fa"))}
    assert named - files <= set(leaves(SCHEMA))
    assert all((ROOT / "config" / name).is_file() for name in files)


def test_every_overlay_names_only_keys_of_the_configuration():
    for overlay in (ROOT / "config/scale").glob("*.yaml"):
        keys = set(config_leaves(yaml.safe_load(overlay.read_text()), SCHEMA))
        assert keys <= set(leaves(SCHEMA)), overlay


def test_the_demo_overlay_is_the_default():
    demo = yaml.safe_load((ROOT / "config/scale/demo.yaml").read_text())
    for section, values in demo.items():
        assert values.items() <= CONFIG[section].items()


def direct_requirements():
    """Names of all packages that pyproject.toml asks for, those of the extras too."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    entries = [*project["dependencies"], *(one for extra in extras for one in extra)]
    names = {re.match(r"[\w-]+", entry)[0] for entry in entries}
    return sorted(names - {"rehearsal"} | {"setuptools"})


def test_the_image_is_made_of_the_pinned_requirements_and_belongs_to_all_rules():
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    (python,) = re.findall(r"^PYTHON \?= python([\d.]+)$", (ROOT / "Makefile").read_text(), re.M)
    assert f"FROM python:{python}-slim" in lines
    assert any("--require-hashes" in line and "requirements.txt" in line for line in lines)
    assert '/rehearsal.sif"' in (ROOT / "Snakefile").read_text()


# by the channels' names, where they differ from PyPI's
PYPI_NAMES = {"snakemake-minimal": "snakemake", "ruamel.yaml": "ruamel-yaml"}


def test_the_conda_environment_has_the_versions_of_the_requirements():
    pins = dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "requirements.txt").read_text(), re.M))
    environment = yaml.safe_load((ROOT / "envs/rehearsal.yaml").read_text())
    *of_conda, of_pip = environment["dependencies"]
    versions = dict(text.split("==") for text in of_pip["pip"])
    for text in of_conda:
        name, _, version = text.partition("=")
        assert name not in PYPI_NAMES.values(), f"{name} has another name on the channels"
        versions[PYPI_NAMES.get(name, name)] = version
    direct = direct_requirements()
    assert {name: versions.get(name) for name in direct} == {name: pins[name] for name in direct}


def test_the_conda_environment_and_the_image_have_the_programs_that_make_reads():
    environment = yaml.safe_load((ROOT / "envs/rehearsal.yaml").read_text())
    pinned = {str(entry).partition("=")[0] for entry in environment["dependencies"]}
    (packages,) = re.findall(
        r"apt-get install --yes --no-install-recommends ([\w -]+) &&",
        (ROOT / "Dockerfile").read_text(),
    )
    assert set(packages.split()) == set(TOOLS)
    assert set(TOOLS) <= pinned


def test_every_extra_has_a_purpose_of_its_own():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    listed = [one for entries in (project["dependencies"], *extras.values()) for one in entries]
    assert len(listed) == len(set(listed))
    assert set(extras) == {"node", "simulate", "report", "workflow"}


def rules():
    """Text by rule; that of a rule made from another is put behind the other's."""
    found = {}
    for path in sorted((ROOT / "workflow/rules").glob("*.smk")):
        for text in re.split(r"^(?=rule |use rule )", path.read_text(), flags=re.M)[1:]:
            base, name = re.match(r"(?:use rule (\w+) as|rule) (\w+)(?: with)?:", text).groups()
            found[name] = found.get(base, "") + text
    return found


RULES = rules()


@pytest.mark.parametrize("name", RULES)
def test_a_rule_has_log_benchmark_resources_message_and_a_digest_of_its_code(name):
    for directive in ("message:", "log:", "benchmark:", "resources:", "script:", "params:"):
        assert directive in RULES[name], f"rule {name} lacks {directive}"
    assert "code=code_digest(" in RULES[name] or "export_params(" in RULES[name]
    for place in ("LOGS", "BENCHMARKS"):
        assert f"{{{place}}}/{name}" in RULES[name]


@pytest.mark.parametrize("name", RULES)
def test_what_an_export_asks_for_is_a_param_that_snakemake_compares(name):
    """Params that are objects of ours are left out of the comparison."""
    if "export=export_of" in RULES[name]:
        assert "requested=requested_of" in RULES[name]


@pytest.mark.parametrize("name", RULES)
def test_a_rule_has_a_script_of_its_name_and_the_digest_of_that_script(name):
    *_, script = re.findall(r'f"\{SCRIPTS\}/([\w.{}]+)\.py"', RULES[name])
    *_, digested = re.findall(r'(?:code_digest|export_params)\(\s*"(\w+)', RULES[name])
    if script == "export_{{params.format}}":
        script, digested = f"export_{digested}", f"export_{digested}"
    assert script == digested == name


def test_every_script_belongs_to_a_rule():
    assert sorted(RULES) == sorted(path.stem for path in (ROOT / "scripts").glob("*.py"))


@pytest.mark.parametrize(
    "file", sorted((ROOT / "profiles").glob("*/config.yaml")), ids=lambda path: path.parent.name
)
def test_every_rule_that_a_profile_names_is_there(file):
    """Snakemake ignores a rule that it does not know."""
    settings = yaml.safe_load(file.read_text())
    for key in ("groups", "set-resources", "set-threads"):
        assert set(settings.get(key, ())) <= set(RULES), key


@pytest.mark.parametrize(
    ("pattern", "most"),
    [("rehearsal/**/*.py", 400), ("workflow/rules/*.smk", 250), ("scripts/*.py", 60)],
)
def test_no_file_is_too_long_to_read(pattern, most):
    lengths = {path: len(path.read_text().splitlines()) for path in ROOT.glob(pattern)}
    assert {str(path): n for path, n in lengths.items() if n > most} == {}
