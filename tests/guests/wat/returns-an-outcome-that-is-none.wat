(module
  ;;! honest
  ;;! one check
  (func (export "evaluate") (param i32 i32) (result i32)
    (i32.store8 (i32.const 2068) (i32.const 200))
    (call $answer)))
