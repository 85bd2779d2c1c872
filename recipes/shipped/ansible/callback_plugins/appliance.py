"""Writes what came of a run to the file that APPLIANCE_REPORT names."""
import json
import os

from ansible import context
from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: appliance
type: aggregate
short_description: a short report for the appliance
description: Counts tasks that changed something, and names those that failed.
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "appliance"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self):
        super().__init__()
        self.changes, self.failures = [], []

    def v2_runner_on_ok(self, result):
        if result.is_changed():
            self.changes.append(result._task.get_name())

    def v2_runner_on_failed(self, result, ignore_errors=False):
        if not ignore_errors:
            self.failures.append(result._task.get_name())

    def v2_runner_on_unreachable(self, result):
        self.failures.append(result._task.get_name())

    def v2_playbook_on_stats(self, stats):
        total = sum(sum(getattr(stats, k).values()) for k in ("ok", "failures", "skipped", "dark"))
        dry = bool(context.CLIARGS.get("check"))
        summary = "%d of %d tasks %s" % (len(self.changes), total, "would change something" if dry else "changed something")
        if self.failures:
            summary = "%d of %d tasks failed (%s)" % (len(self.failures), total, ", ".join(self.failures))
        report = {"tool": "ansible", "dryRun": dry, "summary": summary, "changed": len(self.changes),
                  "failed": len(self.failures), "total": total, "changes": self.changes[:100]}
        with open(os.environ["APPLIANCE_REPORT"], "w") as f:
            json.dump(report, f)
