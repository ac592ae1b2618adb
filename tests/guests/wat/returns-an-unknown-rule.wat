(module
  ;;! honest
  ;;! one check
  (func (export "evaluate") (param i32 i32) (result i32)
    (i32.store (i32.const 2052) (i32.const 1))
    (call $answer)))
