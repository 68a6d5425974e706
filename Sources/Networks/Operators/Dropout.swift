/// Dropout, which does nothing in inference.
package struct Dropout: PassingThrough {
  package init() {}
  package var kind: OperatorKind { .dropout }
}
