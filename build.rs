//! Generates both vendors' clients from the documents in `specs/`.

fn main() {
    org_invitations_codegen::build();
}
