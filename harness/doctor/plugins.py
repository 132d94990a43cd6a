"""What other packages add: engines and output formats, and which of them cannot be used."""

from __future__ import annotations

from harness.doctor.findings import Check


def check_engines() -> Check:
    """The engines that a config may name; a package whose engine cannot be used is a warning."""
    from harness.engines import registry

    faults = registry.broken()
    usable = ", ".join(backend.name for backend in registry.working())
    if not faults:
        return Check("engines", "ok", usable)
    return Check("engines", "warn", usable, f"{'; '.join(faults)}: upgrade or uninstall that package")


def check_formats() -> Check:
    """The output formats that ``--format`` may name; likewise."""
    from harness.errors import HarnessError
    from harness.reporting import writers

    usable, faults = [], []
    for name in writers.names():
        try:
            writers.find_writer(name)
            usable.append(name)
        except HarnessError as error:
            faults.append(str(error))
    if not faults:
        return Check("formats", "ok", ", ".join(usable))
    return Check("formats", "warn", ", ".join(usable), f"{'; '.join(faults)}: upgrade or uninstall it")
