//! Proof by mutation: every change of a document that matters is found, at its place and for what it
//! means, and what is no change is not.

mod catalogue;
mod edit;
mod navigator;
mod same;
mod specimens;
mod sweep;
mod together;
mod walk;

use catalogue::{Row, catalogue};
use org_invitations_codegen::api::{CLICKHOUSE, CONFLUENT, CONFLUENT_STS};

#[test]
fn the_catalogue_covers_everything_that_a_comparison_promises() {
    let catalogue = catalogue();
    assert!(catalogue.len() >= 70, "{} mutations", catalogue.len());
    for row in Row::ALL {
        let count = catalogue.iter().filter(|line| line.row == row).count();
        assert!(count >= 2, "{row:?} has {count} mutations");
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
