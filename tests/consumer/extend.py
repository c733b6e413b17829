"""extend.py SPECS OUT

Writes the documents in SPECS into OUT, each with a new property, query parameter, value of a set and operation."""

import json
import sys

specs, out = sys.argv[1:]

document = json.load(open(f"{specs}/clickhouse-cloud-v1.json"))
schemas = document["components"]["schemas"]
for name in ("Invitation", "InvitationPostRequest"):
    schemas[name]["properties"]["department"] = {"type": "string", "description": "Where the invitee works."}
schemas["Invitation"]["properties"]["role"]["enum"].append("auditor")
organization = document["paths"]["/v1/organizations/{organizationId}/invitations"]
organization["get"].setdefault("parameters", []).append(
    {"name": "department", "in": "query", "schema": {"type": "string"}}
)
invitation = document["paths"]["/v1/organizations/{organizationId}/invitations/{invitationId}"]
invitation["patch"] = {
    "operationId": "invitationUpdate",
    "summary": "Moves an invitation to another department.",
    "parameters": invitation["get"].get("parameters", []),
    "requestBody": {
        "content": {"application/json": {"schema": {"type": "object", "properties": {"department": {"type": "string"}}}}}
    },
    "responses": {"200": invitation["get"]["responses"]["200"]},
}
json.dump(document, open(f"{out}/clickhouse-cloud-v1.json", "w"), indent=1)

# Lines of YAML, since nothing but the standard library is at hand.
text = open(f"{specs}/confluent-iam-v2.yaml").read()
invitation = "    iam.v2.Invitation:\n"
assert invitation in text
head, tail = text.split(invitation)
tail = tail.replace(
    "      properties:\n",
    "      properties:\n        department: { type: string, description: Where the invitee works. }\n",
    1,
)
tail = tail.replace("AUTH_TYPE_SSO", "AUTH_TYPE_SSO, AUTH_TYPE_PASSKEY", 1)
text = head + invitation + tail
listing = "  /iam/v2/invitations:\n    get:\n"
assert listing in text
head, tail = text.split(listing)
tail = tail.replace(
    "      parameters:\n",
    "      parameters:\n        - { name: department, in: query, schema: { type: string } }\n",
    1,
)
text = head + listing + tail
one = "  /iam/v2/invitations/{id}:\n"
assert one in text
text = text.replace(
    one,
    one
    + """    patch:
      operationId: updateIamV2Invitation
      summary: Moves an invitation to another department.
      requestBody:
        content:
          application/json:
            schema: { type: object, properties: { department: { type: string } } }
      responses:
        "200":
          description: The invitation.
          content: { application/json: { schema: { $ref: "#/components/schemas/iam.v2.Invitation" } } }
""",
)
open(f"{out}/confluent-iam-v2.yaml", "w").write(text)
