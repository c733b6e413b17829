//! What the facade needs of each vendor's API: operations, parameters, fields, and their types.
//!
//! These tables are the contract between the documents and `src/` of the library, and written by hand:
//! nothing here is read from a document. A field that is listed here becomes a field of a generated
//! type, whether or not the document has it; whatever else a document or a server has is kept as
//! unknown properties, and so is what is [`Verbatim`]. [`check()`](crate::check()) says whether a
//! document has what is [`Essential`]; what is [`Optional`] may be absent.

/// One vendor API, as far as the library uses it.
#[derive(Debug)]
pub struct Api {
    /// What messages call it.
    pub title: &'static str,
    /// The stem of the generated file and of its module.
    pub module: &'static str,
    /// The vendored document, below `specs/`.
    pub document: &'static str,
    /// The environment variable that names another document to build from.
    pub variable: &'static str,
    /// The operations that the library calls.
    pub operations: &'static [Operation],
}

/// One operation that the library calls.
#[derive(Debug)]
pub struct Operation {
    /// The operationId; it names the generated method, whatever the document calls it.
    pub id: &'static str,
    /// The HTTP method, lower case.
    pub method: &'static str,
    /// The path template; the names of its variables are not compared.
    pub path: &'static str,
    /// The parameters that the library sends.
    pub parameters: &'static [Parameter],
    /// The body that the library sends.
    pub request: Option<Request>,
    /// The body of a success that the library reads.
    pub response: Response,
}

/// A parameter that the library sends.
#[derive(Debug)]
pub struct Parameter {
    /// `path` or `query`.
    pub location: &'static str,
    /// Its name on the wire.
    pub name: &'static str,
    /// `string` or `integer`.
    pub kind: Kind,
    /// Whether the library can do without.
    pub need: Need,
}

/// A request body.
#[derive(Debug)]
pub struct Request {
    /// Its media type.
    pub media_type: &'static str,
    /// Its properties.
    pub body: &'static Object,
}

/// The body of a successful response.
#[derive(Debug)]
pub enum Response {
    /// Nothing that the library reads.
    Empty,
    /// The object itself.
    Body(&'static Object),
    /// The value in one property of an envelope; documents without the envelope are accepted too.
    Enveloped {
        /// The envelope.
        envelope: &'static Object,
        /// The property of it that holds the value.
        property: &'static str,
    },
}

/// An object that becomes a generated type of this name.
#[derive(Debug)]
pub struct Object {
    /// The name of the generated type.
    pub name: &'static str,
    /// The properties that the library reads or writes.
    pub fields: &'static [Field],
}

/// A property that the library reads or writes.
#[derive(Debug)]
pub struct Field {
    /// Its name on the wire.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// Whether the library can do without.
    pub need: Need,
}

/// The type of a property or parameter.
#[derive(Debug)]
pub enum Kind {
    /// A string, whatever its format or enumeration.
    String,
    /// An RFC 3339 time.
    DateTime,
    /// An integer; in responses it is read as any JSON, because servers differ from documents here.
    Integer,
    /// A generated type.
    Object(&'static Object),
    /// A list.
    Array(&'static Kind),
    /// An object that is kept among the unknown properties, and these properties looked up in it.
    Verbatim(&'static [Field]),
}

/// What it means when a document lacks something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// The library cannot work without: the build fails.
    Essential,
    /// The document does not offer it: using it is refused at run time.
    Optional,
}

use Kind::{Array, DateTime, Integer, String, Verbatim};
use Need::{Essential, Optional};

impl Api {
    /// Every API that the library is built from.
    pub const ALL: [&'static Api; 3] = [&CONFLUENT, &CONFLUENT_STS, &CLICKHOUSE];
}

const fn field(name: &'static str, kind: Kind, need: Need) -> Field {
    Field { name, kind, need }
}

const fn path(name: &'static str) -> Parameter {
    Parameter {
        location: "path",
        name,
        kind: String,
        need: Essential,
    }
}

const fn query(name: &'static str, kind: Kind, need: Need) -> Parameter {
    Parameter {
        location: "query",
        name,
        kind,
        need,
    }
}

const fn json(body: &'static Object) -> Option<Request> {
    Some(Request {
        media_type: "application/json",
        body,
    })
}

/// Confluent Cloud IAM v2, invitations.
pub static CONFLUENT: Api = Api {
    title: "Confluent Cloud IAM v2",
    module: "confluent",
    document: "confluent-iam-v2.yaml",
    variable: "ORG_INVITATIONS_CONFLUENT_SPEC",
    operations: &[
        Operation {
            id: "listIamV2Invitations",
            method: "get",
            path: "/iam/v2/invitations",
            parameters: &[
                query("email", String, Optional),
                query("status", String, Optional),
                query("user", String, Optional),
                query("creator", String, Optional),
                query("page_size", Integer, Essential),
                query("page_token", String, Essential),
            ],
            request: None,
            response: Response::Body(&confluent::LIST),
        },
        Operation {
            id: "createIamV2Invitation",
            method: "post",
            path: "/iam/v2/invitations",
            parameters: &[],
            request: json(&confluent::NEW),
            response: Response::Body(&confluent::INVITATION),
        },
        Operation {
            id: "getIamV2Invitation",
            method: "get",
            path: "/iam/v2/invitations/{id}",
            parameters: &[path("id")],
            request: None,
            response: Response::Body(&confluent::INVITATION),
        },
        Operation {
            id: "deleteIamV2Invitation",
            method: "delete",
            path: "/iam/v2/invitations/{id}",
            parameters: &[path("id")],
            request: None,
            response: Response::Empty,
        },
    ],
};

mod confluent {
    use super::*;

    pub static LIST: Object = Object {
        name: "InvitationList",
        fields: &[
            field("data", Array(&Kind::Object(&INVITATION)), Essential),
            field("metadata", Verbatim(LIST_METADATA), Essential),
        ],
    };

    const LIST_METADATA: &[Field] = &[
        field("next", String, Essential),
        field("total_size", Integer, Optional),
    ];

    pub static INVITATION: Object = Object {
        name: "Invitation",
        fields: &[
            field("id", String, Essential),
            field("email", String, Essential),
            field("auth_type", String, Optional),
            field("status", String, Optional),
            field("accepted_at", DateTime, Optional),
            field("expires_at", DateTime, Optional),
            field("user", Kind::Object(&REFERENCE), Optional),
            field("creator", Kind::Object(&REFERENCE), Optional),
            field("metadata", Verbatim(METADATA), Optional),
        ],
    };

    const METADATA: &[Field] = &[field("created_at", DateTime, Optional)];

    static REFERENCE: Object = Object {
        name: "ResourceReference",
        fields: &[
            field("id", String, Essential),
            field("related", String, Optional),
            field("resource_name", String, Optional),
        ],
    };

    pub static NEW: Object = Object {
        name: "NewInvitation",
        fields: &[
            field("email", String, Essential),
            field("auth_type", String, Optional),
        ],
    };
}

/// Confluent's Security Token Service: the exchange of an identity provider's token.
pub static CONFLUENT_STS: Api = Api {
    title: "Confluent Cloud STS v1",
    module: "confluent_sts",
    document: "confluent-sts-v1.yaml",
    variable: "ORG_INVITATIONS_CONFLUENT_STS_SPEC",
    operations: &[Operation {
        id: "exchangeStsV1OauthToken",
        method: "post",
        path: "/sts/v1/oauth2/token",
        parameters: &[],
        request: Some(Request {
            media_type: "application/x-www-form-urlencoded",
            body: &Object {
                name: "TokenExchange",
                fields: &[
                    field("grant_type", String, Essential),
                    field("subject_token", String, Essential),
                    field("subject_token_type", String, Essential),
                    field("requested_token_type", String, Essential),
                    field("identity_pool_id", String, Essential),
                    field("expires_in", Integer, Optional),
                ],
            },
        }),
        response: Response::Body(&Object {
            name: "Token",
            fields: &[
                field("access_token", String, Essential),
                field("token_type", String, Optional),
                field("issued_token_type", String, Optional),
                field("expires_in", Integer, Essential),
            ],
        }),
    }],
};

/// ClickHouse Cloud, organisation invitations.
pub static CLICKHOUSE: Api = Api {
    title: "ClickHouse Cloud",
    module: "clickhouse",
    document: "clickhouse-cloud-v1.json",
    variable: "ORG_INVITATIONS_CLICKHOUSE_SPEC",
    operations: &[
        Operation {
            id: "invitationGetList",
            method: "get",
            path: "/v1/organizations/{organizationId}/invitations",
            parameters: &[path("organizationId")],
            request: None,
            response: Response::Enveloped {
                envelope: &clickhouse::LIST,
                property: "result",
            },
        },
        Operation {
            id: "invitationCreate",
            method: "post",
            path: "/v1/organizations/{organizationId}/invitations",
            parameters: &[path("organizationId")],
            request: json(&clickhouse::NEW),
            response: Response::Enveloped {
                envelope: &clickhouse::ONE,
                property: "result",
            },
        },
        Operation {
            id: "invitationGet",
            method: "get",
            path: "/v1/organizations/{organizationId}/invitations/{invitationId}",
            parameters: &[path("organizationId"), path("invitationId")],
            request: None,
            response: Response::Enveloped {
                envelope: &clickhouse::ONE,
                property: "result",
            },
        },
        Operation {
            id: "invitationDelete",
            method: "delete",
            path: "/v1/organizations/{organizationId}/invitations/{invitationId}",
            parameters: &[path("organizationId"), path("invitationId")],
            request: None,
            response: Response::Empty,
        },
    ],
};

mod clickhouse {
    use super::*;

    pub static LIST: Object = Object {
        name: "InvitationListEnvelope",
        fields: &[
            field("requestId", String, Optional),
            field("result", Array(&Kind::Object(&INVITATION)), Essential),
        ],
    };

    pub static ONE: Object = Object {
        name: "InvitationEnvelope",
        fields: &[
            field("requestId", String, Optional),
            field("result", Kind::Object(&INVITATION), Essential),
        ],
    };

    static INVITATION: Object = Object {
        name: "Invitation",
        fields: &[
            field("id", String, Essential),
            field("email", String, Essential),
            field("role", String, Optional),
            field(
                "assignedRoles",
                Array(&Kind::Object(&ASSIGNED_ROLE)),
                Optional,
            ),
            field("createdAt", DateTime, Optional),
            field("expireAt", DateTime, Optional),
        ],
    };

    static ASSIGNED_ROLE: Object = Object {
        name: "AssignedRole",
        fields: &[
            field("roleId", String, Optional),
            field("roleName", String, Optional),
            field("roleType", String, Optional),
        ],
    };

    pub static NEW: Object = Object {
        name: "NewInvitation",
        fields: &[
            field("email", String, Essential),
            field("role", String, Optional),
            field("assignedRoleIds", Array(&String), Optional),
        ],
    };
}
