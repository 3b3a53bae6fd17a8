# Runs one test file in a process of its own. What it tells the runner: see `report`.
# Arguments: a dictionary of the run's choices, and the file.

set ::harness [file dirname [file dirname [file normalize [info script]]]]
set ::tcl_precision 17
foreach part {client assert case server words} { source [file join $::harness lib $part.tcl] }

foreach {name value} [lindex $argv 0] { set ::$name $value }
set file [lindex $argv 1]

# Choices of Redis's own runner that files ask for and that are always the same here.
foreach {name value} {
  tls 0 tls_module 0 valgrind 0 cluster_mode 0 log_req_res 0 force_resp3 0 large_memory 0 no_latency 0 stack_logging 0
  traceleaks 0 wait_server 0 stop_on_failure 0 dump_logs 0 loop 0 force_failure 0 numclients 1 durable 1 quiet 0
  test_server_fd stdout tlsdir {} run_solo_tests {} skip_till {} client 1
} {
  if {![info exists ::$name]} { set ::$name $value }
}
set ::all_tests {}
expr {srand($::seed)}

fconfigure stdout -encoding utf-8 -translation lf
set ::curfile $file
cd $::root
if {[catch {uplevel #0 [list source $file]} message options]} { reportStray $message $options }
foreach server [lreverse $::servers] { stopServer $server }
report done
