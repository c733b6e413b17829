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
#[ignore = "open: a changed scheme is reported where it is used"]
fn every_mutation_of_the_confluent_documents_is_found() {
    sweep::run(&CONFLUENT);
}

#[test]
#[ignore = "open: a changed scheme is reported where it is used"]
fn every_mutation_of_the_confluent_sts_documents_is_found() {
    sweep::run(&CONFLUENT_STS);
}

#[test]
#[ignore = "open: a changed scheme is reported where it is used"]
fn every_mutation_of_the_clickhouse_documents_is_found() {
    sweep::run(&CLICKHOUSE);
}

#[test]
#[ignore = "open: recursion and pattern properties are not compared by meaning yet"]
fn no_rewriting_of_the_confluent_documents_is_taken_for_a_change() {
    same::run(&CONFLUENT);
}

#[test]
#[ignore = "open: recursion and pattern properties are not compared by meaning yet"]
fn no_rewriting_of_the_confluent_sts_documents_is_taken_for_a_change() {
    same::run(&CONFLUENT_STS);
}

#[test]
#[ignore = "open: recursion and pattern properties are not compared by meaning yet"]
fn no_rewriting_of_the_clickhouse_documents_is_taken_for_a_change() {
    same::run(&CLICKHOUSE);
}

#[test]
fn changes_at_the_same_time_are_found_one_by_one() {
    together::run();
}

#[test]
#[ignore = "open: pattern properties and prefix items are not compared by meaning yet"]
fn what_only_31_can_say_is_compared_too() {
    together::in_31();
}
