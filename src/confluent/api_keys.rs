//! API keys: those of a user, and the owner of the key in use.

use futures_util::{TryStreamExt, future::BoxFuture};

use crate::{
    api_key::{ApiKey, OwnedKey},
    bindings::confluent::{offers, types},
    confluent::{Confluent, convert},
    decode::{ListBody, ObjectText, split},
    error::{Error, ErrorKind, Operation, Result},
    extra::Extra,
    list::{self, Page, PageToken, Prefetch},
    member::MemberId,
};

/// Whether the document has what is needed to list the keys of a user and to find the owner of a key.
pub(super) const OFFERED: bool = offers::LIST_IAM_V2_API_KEYS && offers::GET_IAM_V2_API_KEY;

/// The properties of a key that are read.
const FIELDS: &[&str] = &["id", "spec"];

/// The kind of an owner who is no person.
const SERVICE_ACCOUNT: &str = "ServiceAccount";

/// Who owns the key in use.
pub(super) struct KeyOwner {
    pub id: MemberId,
    /// Whether the owner is no person.
    pub is_service_account: bool,
}

impl Confluent {
    /// `GET /iam/v2/api-keys?spec.owner=…`, page after page.
    pub(super) async fn keys_of(&self, owner: &MemberId) -> Result<Vec<ApiKey>> {
        let context = self.context(Operation::ListApiKeys, Some(owner.as_str()));
        context.require_supported(OFFERED, "list of API keys")?;
        let fetch = |token: Option<PageToken>| -> BoxFuture<'_, Result<Page<OwnedKey>>> {
            Box::pin(async move { self.keys_page(owner, token.as_ref()).await })
        };
        let keys: Vec<OwnedKey> = list::pages(self, fetch, Prefetch::None)
            .try_collect()
            .await
            .map_err(without_secret)?;
        // A server that ignores the filter changes nothing.
        let own = keys.into_iter().filter(|one| one.owner == owner.as_str());
        Ok(own.map(|one| one.key).collect())
    }

    async fn keys_page(
        &self,
        owner: &MemberId,
        token: Option<&PageToken>,
    ) -> Result<Page<OwnedKey>> {
        let context = self.context(Operation::ListApiKeys, Some(owner.as_str()));
        let api = self.api.within(&context.call);
        let request = api.list_iam_v2_api_keys().spec_owner(owner.as_str());
        let request = match token {
            Some(token) => request.page_token(token.as_str()),
            None => request.page_size(i64::from(super::SAFE_PAGE_SIZE)),
        };
        let reply = context.reply(request.send().await)?;
        let list: ListBody<types::ApiKeyList, OwnedKey> = ListBody::read(
            &context,
            &reply,
            "data",
            |wire, _: Option<&dyn ObjectText>| owned_key_from(wire),
            |value| {
                let (mut wire, rest): (types::ApiKey, _) = split(value, FIELDS)?;
                wire.extra.extend(rest);
                owned_key_from(wire)
            },
        )?;
        let next = match &list.envelope {
            Ok(envelope) => {
                let metadata = envelope.metadata.as_ref();
                convert::next_token(metadata.and_then(|metadata| metadata.next.as_deref()))
                    .map_err(|why| context.decode_error(&reply, why))?
            }
            Err(why) => return Err(context.decode_error(&reply, why)),
        };
        let extra = list.extra(&[]);
        let mut page = Page::new(list.items, next);
        page.extra = extra;
        context.expect_whole(page)
    }

    /// `GET /iam/v2/api-keys/{id}` of the key in use.
    pub(super) async fn owner_of_key_in_use(&self) -> Result<Option<KeyOwner>> {
        let Some(id) = self.key_id.as_deref().filter(|_| OFFERED) else {
            return Ok(None);
        };
        let context = self.context(Operation::GetApiKey, Some(id));
        let api = self.api.within(&context.call);
        let sent = api.get_iam_v2_api_key().id(id).send().await;
        let success = context.outcome::<types::ApiKey, _>(sent)?;
        let odd = |why: &str| without_secret(context.decode_error(&success.reply, why));
        let wire = success.value.as_ref().map_err(|why| odd(why))?;
        context
            .expect_no_failure(&success.reply, &wire.extra)
            .map_err(without_secret)?;
        if wire.id.as_deref() != Some(id) {
            return Err(odd("the answer is about another API key"));
        }
        let owner = wire.spec.as_ref().and_then(|spec| spec.owner.as_ref());
        let owner = owner.ok_or_else(|| odd("it has no `spec.owner`"))?;
        let owner_id = owner
            .id
            .as_deref()
            .ok_or_else(|| odd("it has no `spec.owner.id`"))?;
        let is_service_account = match owner.kind.as_deref() {
            Some(kind) => kind == SERVICE_ACCOUNT,
            None => owner_id.starts_with("sa-"),
        };
        let id = MemberId::new(owner_id).map_err(|error| odd(error.message()))?;
        Ok(Some(KeyOwner {
            id,
            is_service_account,
        }))
    }
}

/// Leaves the body out of an error: a server may have sent a secret in it.
fn without_secret(error: Error) -> Error {
    match error.kind() {
        ErrorKind::Decode => error.without_body_excerpt(),
        _ => error,
    }
}

fn owned_key_from(mut wire: types::ApiKey) -> Result<OwnedKey, String> {
    let mut key = ApiKey::new(wire.id.take().ok_or("it has no `id`")?);
    let spec = wire.spec.as_mut().ok_or("it has no `spec`")?;
    let owner = spec.owner.as_ref().and_then(|owner| owner.id.clone());
    let owner = owner.ok_or("it has no `spec.owner.id`")?;
    spec.secret = None;
    key.name = spec.display_name.take();
    key.description = spec.description.take();
    if let Some(resource) = &mut spec.resource {
        key.resource_id = resource.id.take();
        key.resource_kind = resource.kind.take();
    }
    let mut unknown = std::mem::take(&mut wire.extra);
    unknown.remove("secret");
    key.extra = Extra::from_rest(&wire, unknown);
    Ok(OwnedKey { owner, key })
}
