//! Mutation tests: every change of a document is found, with its pointer and class, and an equivalent document has no
//! changes.

mod catalogue;
mod combined;
#[path = "../../../codegen/tests/common/mod.rs"]
mod common;
mod edit;
mod equivalent;
mod navigator;
mod samples;
mod sweep;
mod walk;

use catalogue::{Row, catalogue};
use common::{
    api_keys, clickhouse_cloud, fixtures, iam, organizations, role_bindings, sts,
    used_part::used_part,
};
use org_invitations_spec_diff::diff;

#[test]
fn the_catalogue_covers_every_promise_of_a_comparison() {
    let catalogue = catalogue();
    assert!(catalogue.len() >= 70, "{} mutations", catalogue.len());
    for row in Row::ALL {
        let count = catalogue.iter().filter(|line| line.row == row).count();
        assert!(count >= 2, "{row:?} has {count} mutations");
    }
}

/// The tests below use parts of documents; this one shows that they stand for the whole ones.
#[test]
fn a_document_and_its_used_part_are_equal() {
    for fixture in fixtures() {
        for (name, whole) in samples::whole(fixture) {
            let part = used_part(&whole, &fixture.api);
            let whole = common::parsed(&name, &whole);
            let part = common::parsed(&name, &part);
            let surface = |document| fixture.surface(document).unwrap();
            assert_eq!(surface(&whole).value(), surface(&part).value(), "{name}");
            assert_eq!(
                diff(&surface(&whole), &surface(&part), &fixture.api),
                [],
                "{name}"
            );
            let rust = |document| fixture.generate(document).unwrap().rust;
            assert!(rust(&whole) == rust(&part), "{name}");
        }
    }
}

#[test]
fn every_mutation_of_the_iam_documents_is_found() {
    sweep::run(iam());
}

#[test]
fn every_mutation_of_the_apikeys_documents_is_found() {
    sweep::run(api_keys());
}

#[test]
fn every_mutation_of_the_mds_documents_is_found() {
    sweep::run(role_bindings());
}

#[test]
fn every_mutation_of_the_org_documents_is_found() {
    sweep::run(organizations());
}

#[test]
fn every_mutation_of_the_sts_documents_is_found() {
    sweep::run(sts());
}

#[test]
fn every_mutation_of_the_clickhouse_documents_is_found() {
    sweep::run(clickhouse_cloud());
}

#[test]
fn no_rewriting_of_the_iam_documents_is_a_change() {
    equivalent::run(iam());
}

#[test]
fn no_rewriting_of_the_apikeys_documents_is_a_change() {
    equivalent::run(api_keys());
}

#[test]
fn no_rewriting_of_the_mds_documents_is_a_change() {
    equivalent::run(role_bindings());
}

#[test]
fn no_rewriting_of_the_org_documents_is_a_change() {
    equivalent::run(organizations());
}

#[test]
fn no_rewriting_of_the_sts_documents_is_a_change() {
    equivalent::run(sts());
}

#[test]
fn no_rewriting_of_the_clickhouse_documents_is_a_change() {
    equivalent::run(clickhouse_cloud());
}

#[test]
fn simultaneous_changes_are_found_one_by_one() {
    combined::run();
}

#[test]
fn keywords_of_31_only_are_compared_too() {
    combined::in_31();
}
