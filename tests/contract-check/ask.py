"""Asks a server for experiences with the client that was generated from its own document."""

import sys

from loadout_client import AuthenticatedClient
from loadout_client.api.experience import ask_experience, get_experience
from loadout_client.api.queues import get_queues, put_queues
from loadout_client.models import ExperienceRequest, QueueInput

url, token = sys.argv[1:]
client = AuthenticatedClient(base_url=url, token=token, raise_on_unexpected_status=True)

app = "customer-service-workspace"
seen = get_experience.sync(client=client, login="kayla", app=app)
asked = ask_experience.sync(client=client, body=ExperienceRequest(user="kayla", app=app))
assert seen.decision_id == asked.decision_id, (seen, asked)

made = put_queues.sync(client=client, unique_name="client-desk", body=QueueInput(name="Desk"))
read = get_queues.sync(client=client, unique_name="client-desk")
assert read.name == "Desk" and read.meta.layer == "custom", read

tools = {tool.tool: tool.status for tool in asked.productivity_pane.tools}
print(asked.profile.unique_name, asked.profile.assignment.method, len(tools) > 0, set(tools.values()) <= {"shown", "hidden", "failed"})
