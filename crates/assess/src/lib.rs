//! In the making: bundle, manifest and predictor follow with the networks that they hold.
#![allow(dead_code)]

mod attention;
mod judgement;
