"""What the vendors' documents leave open and their services do not, added to a document before Schemathesis reads it.

Without it, data that is good by the document alone (any text for a page token, any uuid for an organisation) counts
as data that the service must take. Everything here narrows what is sent as good data, and so widens what is sent as
bad; or it names a failure that the service is known for and the document is silent about. No check is switched off.
"""

import json
import os
import urllib.request

import schemathesis

READY = json.loads(os.environ["SANDBOX_READY"])
with urllib.request.urlopen(READY["url"] + "/_sandbox/sts") as reply:
    STS = json.load(reply)
with urllib.request.urlopen(READY["url"] + "/_sandbox/members") as reply:
    MEMBERS = json.load(reply)["members"]


def members(provider):
    return [member for member in MEMBERS if member["provider"] == provider]


# What the sandbox does not have.
ABSENT = {
    "updateOrgV2Organization",
    "organizationRolePost",
    "organizationRolePatch",
    "organizationRoleDelete",
    "activityGet",
}


@schemathesis.hook
def before_load_schema(context, raw_schema):
    for path, item in list(raw_schema["paths"].items()):
        for method, operation in list(item.items()):
            if isinstance(operation, dict) and operation.get("operationId") in ABSENT:
                del item[method]
        if not any(method in item for method in ("get", "post", "patch", "delete")):
            del raw_schema["paths"][path]
            continue
        for method, operation in item.items():
            if isinstance(operation, dict) and "responses" in operation:
                complete(raw_schema, path, method, operation)


def complete(document, path, method, operation):
    security = operation.get("security", document.get("security", []))
    if len(security) == 1:
        # With one scheme only, a request without credentials counts as bad data, although Schemathesis adds the
        # credentials to it. Whether they are required is a check of its own.
        document["components"]["securitySchemes"]["token"] = {"type": "http", "scheme": "bearer"}
        operation["security"] = [*security, {"token": []}]
    pages = ["/iam/v2/invitations", "/iam/v2/users", "/iam/v2/api-keys", "/iam/v2/role-bindings", "/org/v2/organizations"]
    if path in pages:
        if method == "get":
            # Tokens are the service's own; these two are of a first page. The document has no least page size.
            narrow_parameter(document, operation, "page_token", {"type": "string", "enum": ["MTAuMA", "OTkuMA"]})
            narrow_parameter(document, operation, "page_size", {"type": "integer", "minimum": 1, "maximum": 100})
    if path == "/iam/v2/invitations":
        if method == "post":
            # An "extensible enum", which Schemathesis does not know: more values may come, but not any text.
            narrow_body(operation, {"properties": {"auth_type": {"type": "string", "pattern": "^AUTH_TYPE_"}}})
    if path == "/iam/v2/users/{id}":
        users = [user["id"] for user in members("confluent")]
        narrow_parameter(document, operation, "id", {"type": "string", "enum": users})
    if path == "/iam/v2/api-keys/{id}":
        narrow_parameter(document, operation, "id", {"type": "string", "enum": [READY["confluent"]["api_key"]]})
    if path == "/iam/v2/role-bindings" and method == "post":
        # The organisation of the key, and users that it has: anything else is forbidden.
        first = members("confluent")[0]
        crn = "^crn://confluent\\.cloud/organization=%s(/environment=env-[a-z0-9]{1,6})?$" % first["organization"]
        principals = ["User:" + user["id"] for user in members("confluent")] + ["Group:admins"]
        values = {
            "principal": {"enum": principals},
            "role_name": {"minLength": 1},
            "crn_pattern": {"pattern": crn},
        }
        narrow_body(operation, {"properties": values})
    if path == "/sts/v1/oauth2/token":
        # The values are named in prose; the pool and the token are the sandbox's.
        urn = "urn:ietf:params:oauth:"
        values = {
            "grant_type": {"enum": [urn + "grant-type:token-exchange"]},
            "subject_token_type": {"enum": [urn + "token-type:jwt"]},
            "requested_token_type": {"enum": [urn + "token-type:access_token"]},
            "identity_pool_id": {"enum": [STS["identity_pool_id"]]},
            "subject_token": {"enum": [STS["subject_token"]]},
            "expires_in": {"type": "integer", "minimum": 1, "maximum": 900},
        }
        narrow_body(operation, {"properties": values})
    if path.startswith("/v1/organizations/{organizationId}/"):
        organization = READY["clickhouse"]["organization_id"]
        narrow_parameter(document, operation, "organizationId", {"type": "string", "enum": [organization]})
        if "{invitationId}" in path:
            # Those that the sandbox began with; any other id is answered with 404.
            seeded = ["00000000-0000-4000-8000-%012x" % number for number in range(1, 26)]
            narrow_parameter(document, operation, "invitationId", {"type": "string", "enum": seeded})
        if "{userId}" in path:
            users = [user["id"] for user in members("clickhouse")]
            narrow_parameter(document, operation, "userId", {"type": "string", "enum": users})
        roles = ["5a1e9b6c-3f0d-4c1b-9a57-0d2f4f1c6a0%d" % number for number in [1, 2, 3]]
        if "{roleId}" in path:
            narrow_parameter(document, operation, "roleId", {"type": "string", "enum": roles})
        # The document has 200, 400 and 500; the service is known for these as well, in the form of its 400.
        for status in ["401", "403", "404", "405", "409"]:
            operation["responses"].setdefault(status, operation["responses"]["400"])
        if path.endswith("/members/{userId}") and method == "patch":
            narrow_body(
                operation,
                {
                    "properties": {"assignedRoleIds": {"type": "array", "items": {"enum": roles}}},
                    "oneOf": [{"required": ["role"]}, {"required": ["assignedRoleIds"]}],
                },
            )
        if path.endswith("/invitations") and method == "post":
            narrow_body(
                operation,
                {
                    "required": ["email"],
                    "properties": {"assignedRoleIds": {"type": "array", "items": {"enum": roles}}},
                    "not": {"required": ["role", "assignedRoleIds"]},
                },
            )


def narrow_parameter(document, operation, name, schema):
    for position, parameter in enumerate(operation["parameters"]):
        if "$ref" in parameter:
            parameter = document["components"]["parameters"][parameter["$ref"].rsplit("/", 1)[1]]
        if parameter["name"] == name:
            # Examples are the vendor's, of its own tokens and ids.
            kept = {key: value for key, value in parameter.items() if key not in ("example", "examples")}
            operation["parameters"][position] = {**kept, "schema": schema}


def narrow_body(operation, schema):
    # The documents do not say that there must be a body. There must.
    operation["requestBody"]["required"] = True
    for content in operation["requestBody"]["content"].values():
        content.pop("example", None)
        content.pop("examples", None)
        content["schema"] = {"allOf": [content["schema"], {"type": "object", **schema}]}
