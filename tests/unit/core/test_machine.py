"""What is told of the machine that figures come from."""

import json
import os

from rehearsal.machine import describe_machine, measurement_conditions


def test_the_machine_is_described_without_its_name():
    told = describe_machine()
    assert set(told) == {"system", "processor", "cores", "memory_gb"}
    assert os.uname().nodename not in str(told)


def test_conditions_of_a_measurement_are_plain_values_with_the_machine_in_them():
    conditions = json.loads(json.dumps(measurement_conditions()))
    assert conditions.items() >= describe_machine().items()
    assert conditions["started"].endswith("+00:00")
