//! Proof by mutation: every change of a document that matters is found, at its place and for what it
//! means, and what is no change is not.

mod catalogue;
#[path = "../../../codegen/tests/common/mod.rs"]
mod common;
mod edit;
mod navigator;
mod same;
mod specimens;
mod sweep;
mod together;
mod walk;

use catalogue::{Row, catalogue};
use common::{clickhouse_cloud, fixtures, iam, organizations, pruned::pruned, role_bindings, sts};
use org_invitations_spec_diff::diff;

#[test]
fn the_catalogue_covers_everything_that_a_comparison_promises() {
    let catalogue = catalogue();
    assert!(catalogue.len() >= 70, "{} mutations", catalogue.len());
    for row in Row::ALL {
        let count = catalogue.iter().filter(|line| line.row == row).count();
        assert!(count >= 2, "{row:?} has {count} mutations");
    }
}

/// What is shown of the parts below holds for the whole documents.
#[test]
fn a_document_and_the_part_that_is_used_are_the_same() {
    for fixture in fixtures() {
        for (name, whole) in specimens::whole(fixture) {
            let part = pruned(&whole, &fixture.api);
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
fn no_rewriting_of_the_iam_documents_is_taken_for_a_change() {
    same::run(iam());
}

#[test]
fn no_rewriting_of_the_mds_documents_is_taken_for_a_change() {
    same::run(role_bindings());
}

#[test]
fn no_rewriting_of_the_org_documents_is_taken_for_a_change() {
    same::run(organizations());
}

#[test]
fn no_rewriting_of_the_sts_documents_is_taken_for_a_change() {
    same::run(sts());
}

#[test]
fn no_rewriting_of_the_clickhouse_documents_is_taken_for_a_change() {
    same::run(clickhouse_cloud());
}

#[test]
fn changes_at_the_same_time_are_found_one_by_one() {
    together::run();
}

#[test]
fn what_only_31_can_say_is_compared_too() {
    together::in_31();
}
