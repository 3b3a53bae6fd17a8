# A process that writes to a server while a case runs: HOST PORT write SECONDS, or HOST PORT complex COUNT.

set directory [file dirname [info script]]
source [file join $directory client.tcl]
source [file join $directory words.tcl]
lassign $argv host port kind amount
set ::singledb 1
set client [redis $host $port]
$client client setname LOAD_HANDLER
if {$kind eq {complex}} {
  createComplexDataset $client $amount
} else {
  set endMs [expr {[clock milliseconds] + $amount * 1000}]
  while {[clock milliseconds] < $endMs} { $client set [expr {int(rand() * 10000)}] [randomValue] }
}
