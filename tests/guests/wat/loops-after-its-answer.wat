(module
  ;;! honest
  ;;! one check
  (func (export "evaluate") (param i32 i32) (result i32) (call $answer))
  (func (export "cabi_post_evaluate") (param i32) (loop $again (br $again))))
