//! Proof by mutation: every change of a document that matters is found, at its place and for what it
//! means, and what is no change is not.

mod catalogue;
mod edit;
mod navigator;
#[path = "../common/pruned.rs"]
mod pruned;
mod same;
mod specimens;
mod sweep;
mod together;
mod walk;

use catalogue::{Row, catalogue};
use org_invitations_codegen::{
    Api, Surface,
    api::{CLICKHOUSE, CONFLUENT, CONFLUENT_STS},
    diff, generate,
};

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
fn a_whole_document_and_the_part_of_it_that_is_used_are_the_same() {
    for api in Api::ALL {
        for (name, whole) in specimens::whole(api) {
            let part = pruned::pruned(&whole, api);
            let whole = specimens::parsed(&name, &whole);
            let part = specimens::parsed(&name, &part);
            let surface = |document| Surface::new(document, api).unwrap();
            assert_eq!(surface(&whole).value(), surface(&part).value(), "{name}");
            assert_eq!(diff(&surface(&whole), &surface(&part), api), [], "{name}");
            assert_eq!(generate(&whole, api), generate(&part, api), "{name}");
        }
    }
}

#[test]
fn every_mutation_of_the_confluent_documents_is_found() {
    sweep::run(&CONFLUENT);
}

#[test]
fn every_mutation_of_the_confluent_sts_documents_is_found() {
    sweep::run(&CONFLUENT_STS);
}

#[test]
fn every_mutation_of_the_clickhouse_documents_is_found() {
    sweep::run(&CLICKHOUSE);
}

#[test]
fn no_rewriting_of_the_confluent_documents_is_taken_for_a_change() {
    same::run(&CONFLUENT);
}

#[test]
fn no_rewriting_of_the_confluent_sts_documents_is_taken_for_a_change() {
    same::run(&CONFLUENT_STS);
}

#[test]
fn no_rewriting_of_the_clickhouse_documents_is_taken_for_a_change() {
    same::run(&CLICKHOUSE);
}

#[test]
fn changes_at_the_same_time_are_found_one_by_one() {
    together::run();
}

#[test]
fn what_only_31_can_say_is_compared_too() {
    together::in_31();
}
