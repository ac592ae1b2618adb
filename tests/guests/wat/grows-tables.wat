(module
  ;;! honest
  (table $table 1 funcref)
  (func (export "evaluate") (param i32 i32) (result i32)
    (loop $again
      (drop (table.grow $table (ref.null func) (i32.const 1000)))
      (br $again))
    (unreachable)))
