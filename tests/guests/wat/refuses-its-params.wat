(module
  ;;! honest
  (data (i32.const 3000) "\01\00\00\00\00\00\00\00\20\04\00\00\06\00\00\00")
  (func (export "evaluate") (param i32 i32) (result i32) (i32.const 3000)))
