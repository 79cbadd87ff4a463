using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Runspaces;
using System.Threading;

namespace PersistentChatFailover.Interop
{
    /// <summary>
    /// Runs the management shell's own commands in the caller's runspace, and gives back what the library asked for.
    /// A drill has a runspace of its own, in which one module alone counts.
    /// </summary>
    internal sealed class NativeCommandRunner
    {
        private readonly PSCmdlet cmdlet;
        private readonly Action stopped;
        private volatile PowerShell running;

        /// <param name="cmdlet">Whose runspace is used, where there is no own one.</param>
        /// <param name="stopped">Called when the shell stops a nested command: our own StopProcessing comes too late.</param>
        internal NativeCommandRunner(PSCmdlet cmdlet, Action stopped)
        {
            this.cmdlet = cmdlet;
            this.stopped = stopped;
        }

        /// <summary>The runspace of a drill; null for the caller's own.</summary>
        internal Runspace Own { get; set; }

        /// <summary>The module that every command of a drill comes from.</summary>
        internal string OnlyModule { get; set; }

        /// <summary>From any thread: stops the command that is running.</summary>
        internal void Stop()
        {
            PowerShell shell = running;
            if (shell != null)
            {
                shell.BeginStop(null, null);
            }
        }

        /// <summary>Runs the command; the outcome as a document of maps and lists.</summary>
        internal object Run(Dictionary<string, object> command, bool stopping, bool mayChange, Action<string> warn)
        {
            var name = (string)command["name"];
            if (stopping)
            {
                return Stopped("the shell is stopping");
            }
            if (!mayChange && !NativeParameters.OnlyReads(command))
            {
                return Outcome("failed", null, null, name + " was not run: this command only reads and plans", null);
            }
            CommandInfo found = Find(name, (string)command["module"]);
            if (found == null)
            {
                return Outcome("missing", null, null, "there is no command " + name + " in this shell", null);
            }
            using (PowerShell shell = NewShell())
            {
                shell.AddCommand(string.IsNullOrEmpty(found.ModuleName) ? name : found.ModuleName + "\\" + name);
                string missing = NativeParameters.Add(shell, found, (List<object>)command["parameters"]);
                if (missing != null)
                {
                    return Outcome("missing", found, null, name + " has no parameter " + missing + " here", null);
                }
                object outcome = Invoke(shell, found, command);
                foreach (WarningRecord warning in shell.Streams.Warning)
                {
                    warn(name + ": " + warning.Message);
                }
                return outcome;
            }
        }

        private PowerShell NewShell()
        {
            if (Own == null)
            {
                return PowerShell.Create(RunspaceMode.CurrentRunspace);
            }
            PowerShell shell = PowerShell.Create();
            shell.Runspace = Own;
            return shell;
        }

        private CommandInfo Find(string name, string module)
        {
            if (OnlyModule != null && !string.IsNullOrEmpty(module) && module != OnlyModule)
            {
                return null;
            }
            // The shell's own command belongs to no module of the drill.
            module = name == "Get-Command" ? null : OnlyModule ?? module;
            string qualified = string.IsNullOrEmpty(module) ? name : module + "\\" + name;
            const CommandTypes kinds = CommandTypes.Cmdlet | CommandTypes.Function;
            if (Own == null)
            {
                return cmdlet.InvokeCommand.GetCommand(qualified, kinds);
            }
            using (PowerShell shell = NewShell())
            {
                shell.AddCommand("Get-Command").AddParameter("Name", qualified).AddParameter("ErrorAction", ActionPreference.Ignore);
                foreach (PSObject found in shell.Invoke())
                {
                    return found.BaseObject as CommandInfo;
                }
                return null;
            }
        }

        private object Invoke(PowerShell shell, CommandInfo found, Dictionary<string, object> command)
        {
            var properties = (List<object>)command["properties"];
            bool tooLong = false;
            shell.InvocationStateChanged += (sender, change) =>
            {
                if (change.InvocationStateInfo.State == PSInvocationState.Stopping && !tooLong)
                {
                    stopped();
                }
            };
            running = shell;
            var limit = TimeSpan.FromSeconds(Math.Min((double)(decimal)command["limit_seconds"], 86400));
            using (new Timer(ignored => { tooLong = true; Stop(); }, null, limit, Timeout.InfiniteTimeSpan))
            {
                try
                {
                    var objects = new List<object>();
                    foreach (PSObject result in NativeParameters.IsWhatIf(command) ? shell.Invoke(null, Silent()) : shell.Invoke())
                    {
                        objects.Add(NativeObject.Picked(result, properties));
                    }
                    // A stopped nested command returns normally and empty, just like a silent Set that worked.
                    if (shell.InvocationStateInfo.State != PSInvocationState.Completed)
                    {
                        return WasStopped(found, tooLong, limit);
                    }
                    foreach (ErrorRecord error in shell.Streams.Error)
                    {
                        return Failed(found, error, error.Exception);
                    }
                    return Outcome("completed", found, objects, null, null);
                }
                catch (Exception e) when (e is PipelineStoppedException || e is InvalidPowerShellStateException)
                {
                    // The latter: stopped before it had begun.
                    return WasStopped(found, tooLong, limit);
                }
                catch (RuntimeException e)
                {
                    return Failed(found, e.ErrorRecord, e);
                }
                finally
                {
                    running = null;
                }
            }
        }

        private static PSInvocationSettings Silent()
        {
            return new PSInvocationSettings { Host = new SilentHost() };
        }

        private static object WasStopped(CommandInfo found, bool tooLong, TimeSpan limit)
        {
            string why = tooLong
                ? "it was stopped after its limit of " + limit.TotalSeconds.ToString("0", CultureInfo.InvariantCulture) + " s"
                : "the command was stopped";
            return Outcome("stopped", found, null, why, null);
        }

        private static object Failed(CommandInfo found, ErrorRecord record, Exception why)
        {
            string text = record != null && record.Exception != null ? record.Exception.Message : why.Message;
            return Outcome("failed", found, null, text, record == null ? null : record.FullyQualifiedErrorId);
        }

        /// <summary>The outcome of a command that was not run to its end.</summary>
        internal static object Stopped(string why)
        {
            return Outcome("stopped", null, null, why, null);
        }

        /// <summary>How a command ended, in words.</summary>
        internal static string StateOf(object outcome)
        {
            var document = (Dictionary<string, object>)outcome;
            return document["error"] == null ? (string)document["state"] : document["state"] + ", " + document["error"];
        }

        private static object Outcome(string state, CommandInfo found, List<object> objects, string error, string errorId)
        {
            return new Dictionary<string, object>
            {
                { "state", state },
                { "module", found == null || string.IsNullOrEmpty(found.ModuleName) ? null : found.ModuleName },
                { "stand_in", found != null && IsStandIn(found) },
                { "objects", objects ?? new List<object>() },
                { "error", error },
                { "error_id", errorId },
            };
        }

        /// <summary>The lab's stand-ins say so in their manifest.</summary>
        private static bool IsStandIn(CommandInfo found)
        {
            PSModuleInfo module = found.Module;
            object data = module == null ? null : module.PrivateData;
            var wrapped = data as PSObject;
            var table = (wrapped == null ? data : wrapped.BaseObject) as Hashtable;
            return table != null && table.ContainsKey("PChatStandIn");
        }
    }
}
