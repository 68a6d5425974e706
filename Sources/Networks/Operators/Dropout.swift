/// Dropout, which has no effect in inference.
package struct Dropout: PassingThrough {
  package init() {}
  package var kind: OperatorKind { .dropout }
}
