using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.Management.Automation;

namespace PersistentChatFailover.Interop
{
    /// <summary>
    /// Runs the management shell's own commands in the caller's runspace, and gives back what the library asked for.
    /// </summary>
    internal sealed class NativeCommandRunner
    {
        private readonly PSCmdlet cmdlet;
        private readonly Action stopped;
        private volatile PowerShell running;

        /// <param name="cmdlet">Whose runspace and preferences are used.</param>
        /// <param name="stopped">Called when the shell stops a nested command: our own StopProcessing comes too late.</param>
        internal NativeCommandRunner(PSCmdlet cmdlet, Action stopped)
        {
            this.cmdlet = cmdlet;
            this.stopped = stopped;
        }

        internal void Stop()
        {
            PowerShell shell = running;
            if (shell != null)
            {
                shell.BeginStop(null, null);
            }
        }

        /// <summary>Runs the command; the outcome as a document of maps and lists.</summary>
        internal object Run(Dictionary<string, object> command, bool stopping)
        {
            var name = (string)command["name"];
            if (stopping)
            {
                return Outcome("stopped", null, null, "the shell is stopping", null);
            }
            CommandInfo found = Find(name, (string)command["module"]);
            if (found == null)
            {
                return Outcome("missing", null, null, "there is no command " + name + " in this shell", null);
            }
            using (PowerShell shell = PowerShell.Create(RunspaceMode.CurrentRunspace))
            {
                string qualified = string.IsNullOrEmpty(found.ModuleName) ? name : found.ModuleName + "\\" + name;
                shell.AddCommand(qualified);
                string missing = AddParameters(shell, found, (List<object>)command["parameters"]);
                if (missing != null)
                {
                    return Outcome("missing", found, null, name + " has no parameter " + missing + " here", null);
                }
                return Invoke(shell, found, (List<object>)command["properties"]);
            }
        }

        private CommandInfo Find(string name, string module)
        {
            string qualified = string.IsNullOrEmpty(module) ? name : module + "\\" + name;
            return cmdlet.InvokeCommand.GetCommand(qualified, CommandTypes.Cmdlet | CommandTypes.Function);
        }

        /// <summary>Adds the parameters wanted, and keeps the caller's preferences out. The name that is missing, or null.</summary>
        private static string AddParameters(PowerShell shell, CommandInfo found, List<object> parameters)
        {
            var given = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
            foreach (Dictionary<string, object> parameter in parameters)
            {
                var name = (string)parameter["name"];
                if (!found.Parameters.ContainsKey(name))
                {
                    return name;
                }
                given.Add(name);
                object value = parameter["value"];
                if (value is bool)
                {
                    value = new SwitchParameter((bool)value);
                }
                shell.AddParameter(name, Plain(value));
            }
            foreach (string preference in new[] { "WhatIf", "Confirm" })
            {
                if (!given.Contains(preference) && found.Parameters.ContainsKey(preference))
                {
                    shell.AddParameter(preference, new SwitchParameter(false));
                }
            }
            if (found.Parameters.ContainsKey("ErrorAction"))
            {
                shell.AddParameter("ErrorAction", ActionPreference.Stop);
            }
            return null;
        }

        /// <summary>A JSON value as a cmdlet takes it: a list as string[], an object as a hashtable.</summary>
        private static object Plain(object value)
        {
            var list = value as List<object>;
            if (list != null)
            {
                var texts = new string[list.Count];
                for (int i = 0; i < texts.Length; i++)
                {
                    texts[i] = Convert.ToString(list[i], CultureInfo.InvariantCulture);
                }
                return texts;
            }
            var map = value as Dictionary<string, object>;
            if (map != null)
            {
                var table = new Hashtable();
                foreach (KeyValuePair<string, object> entry in map)
                {
                    table[entry.Key] = Plain(entry.Value);
                }
                return table;
            }
            return value;
        }

        private object Invoke(PowerShell shell, CommandInfo found, List<object> properties)
        {
            shell.InvocationStateChanged += (sender, change) =>
            {
                if (change.InvocationStateInfo.State == PSInvocationState.Stopping)
                {
                    stopped();
                }
            };
            running = shell;
            try
            {
                var objects = new List<object>();
                foreach (PSObject result in shell.Invoke())
                {
                    objects.Add(Picked(result, properties));
                }
                // A stopped nested command returns normally and empty, just like a silent Set that worked.
                if (shell.InvocationStateInfo.State == PSInvocationState.Stopped)
                {
                    return Outcome("stopped", found, null, "the command was stopped", null);
                }
                return Outcome("completed", found, objects, null, null);
            }
            catch (PipelineStoppedException)
            {
                return Outcome("stopped", found, null, "the command was stopped", null);
            }
            catch (RuntimeException e)
            {
                ErrorRecord record = e.ErrorRecord;
                return Outcome("failed", found, null, e.Message, record == null ? null : record.FullyQualifiedErrorId);
            }
            finally
            {
                running = null;
            }
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

        /// <summary>The properties wanted. Topology objects are cyclic and their getters throw, so nothing else is touched.</summary>
        private static object Picked(PSObject result, List<object> properties)
        {
            var map = new Dictionary<string, object>();
            if (result == null)
            {
                return map;
            }
            if (result.BaseObject is string || result.BaseObject is ValueType)
            {
                map[string.Empty] = Invariant(result.BaseObject);
                return map;
            }
            foreach (string path in properties)
            {
                map[path] = Walk(result, path);
            }
            return map;
        }

        private static object Walk(object start, string path)
        {
            object at = start;
            try
            {
                foreach (string part in path.Split('.'))
                {
                    if (at == null)
                    {
                        return null;
                    }
                    PSPropertyInfo property = PSObject.AsPSObject(at).Properties[part];
                    at = property == null ? null : property.Value;
                }
                return Invariant(at);
            }
            catch (RuntimeException)
            {
                return null;
            }
        }

        private static object Invariant(object value)
        {
            var wrapped = value as PSObject;
            object plain = wrapped == null ? value : wrapped.BaseObject;
            if (plain == null)
            {
                return null;
            }
            if (plain is DateTime)
            {
                return ((DateTime)plain).ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture);
            }
            var list = plain as IEnumerable;
            if (list == null || plain is string)
            {
                return Convert.ToString(plain, CultureInfo.InvariantCulture);
            }
            var texts = new List<object>();
            foreach (object item in list)
            {
                var inner = item as PSObject;
                texts.Add(Convert.ToString(inner == null ? item : inner.BaseObject, CultureInfo.InvariantCulture));
            }
            return texts;
        }
    }
}
