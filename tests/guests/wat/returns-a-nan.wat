(module
  ;;! honest
  ;;! one check
  (func (export "evaluate") (param i32 i32) (result i32)
    (i32.store8 (i32.const 2080) (i32.const 1))
    (f64.store (i32.const 2096) (f64.const nan))
    (call $answer)))
