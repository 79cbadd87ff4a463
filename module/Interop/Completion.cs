using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using System.Reflection;

namespace PersistentChatFailover.Interop
{
    /// <summary>
    /// Completes names of instances, databases, pools, runs and log backups, where the shell has a command to register that
    /// with (PowerShell 5.0 and later). The names come from this shell's own results and from the journal; no instance is asked.
    /// </summary>
    public sealed class Completion : IModuleAssemblyInitializer
    {
        private const string Registering = "Register-ArgumentCompleter";

        // Of the engines that have the command; older ones have no such type, and nothing is registered.
        private const string RegisteringType = "System.Management.Automation.ArgumentCompleterAttribute";

        private const string Script =
            "param($command, $parameter, $begin, $tree, $bound) " +
            "[PersistentChatFailover.Interop.Completion]::Complete($parameter, $begin, $bound)";

        /// <summary>Parameters, and the kind of name that each takes.</summary>
        private static readonly Dictionary<string, string> Kinds = new Dictionary<string, string>
        {
            { "SqlInstance", "SqlInstance" },
            { "PrimarySqlInstance", "SqlInstance" },
            { "PrimaryMirrorSqlInstance", "SqlInstance" },
            { "BackupMirrorSqlInstance", "SqlInstance" },
            { "MonitorSqlInstance", "SqlInstance" },
            { "Database", "Database" },
            { "PoolFqdn", "PoolFqdn" },
            { "RunId", "RunId" },
            { "Name", "Name" },
        };

        /// <summary>Called by the shell when the module is imported.</summary>
        public void OnImport()
        {
            if (typeof(PSCmdlet).Assembly.GetType(RegisteringType) == null)
            {
                return;
            }
            try
            {
                Register();
            }
            catch (RuntimeException)
            {
                // A shell without that command, or with a narrower language: the module works without completion.
            }
        }

        private static void Register()
        {
            ScriptBlock script = ScriptBlock.Create(Script);
            foreach (KeyValuePair<string, List<string>> one in Commands())
            {
                using (PowerShell shell = PowerShell.Create(RunspaceMode.CurrentRunspace))
                {
                    shell.AddCommand(Registering)
                        .AddParameter("CommandName", one.Value.ToArray())
                        .AddParameter("ParameterName", one.Key)
                        .AddParameter("ScriptBlock", script)
                        .Invoke();
                }
            }
        }

        /// <summary>Our commands by the parameters that are completed.</summary>
        internal static Dictionary<string, List<string>> Commands()
        {
            var commands = new Dictionary<string, List<string>>();
            foreach (Type type in Assembly.GetExecutingAssembly().GetExportedTypes())
            {
                object[] marks = type.GetCustomAttributes(typeof(CmdletAttribute), false);
                if (marks.Length == 0)
                {
                    continue;
                }
                var mark = (CmdletAttribute)marks[0];
                foreach (string parameter in Kinds.Keys.Where(name => type.GetProperty(name) != null))
                {
                    List<string> names;
                    if (!commands.TryGetValue(parameter, out names))
                    {
                        commands[parameter] = names = new List<string>();
                    }
                    names.Add(mark.VerbName + "-" + mark.NounName);
                }
            }
            return commands;
        }

        /// <summary>The names that fit, quoted where the shell wants that.</summary>
        /// <param name="parameter">The parameter to be completed.</param>
        /// <param name="begin">What stands there already.</param>
        /// <param name="bound">The parameters that stand before it; JournalPath says which journal.</param>
        public static string[] Complete(string parameter, string begin, IDictionary bound)
        {
            string kind;
            if (!Kinds.TryGetValue(parameter, out kind))
            {
                return new string[0];
            }
            string plain = (begin ?? string.Empty).Trim('\'', '"');
            if (kind != "Name")
            {
                ReadJournal(bound);
            }
            List<string> found = Seen.Of(kind, plain);
            if (kind == "Database")
            {
                found.AddRange(new[] { "mgc", "mgccomp" }.Where(
                    name => name.StartsWith(plain, StringComparison.OrdinalIgnoreCase) && !found.Contains(name)));
            }
            return found.Select(Quoted).ToArray();
        }

        /// <summary>Runs of the journal name instances and pools too; what cannot be read is left out in silence.</summary>
        private static void ReadJournal(IDictionary bound)
        {
            try
            {
                using (PowerShell shell = PowerShell.Create(RunspaceMode.CurrentRunspace))
                {
                    shell.AddCommand("PersistentChatFailover\\Get-PChatRun").AddParameter("ErrorAction", ActionPreference.Ignore)
                        .AddParameter("WarningAction", ActionPreference.SilentlyContinue);
                    object journal = bound == null ? null : bound["JournalPath"];
                    if (journal is string)
                    {
                        shell.AddParameter("JournalPath", journal);
                    }
                    // Its results pass through the loop, which notes them.
                    shell.Invoke();
                }
            }
            catch (RuntimeException)
            {
            }
        }

        private static string Quoted(string name)
        {
            bool plain = name.All(one => char.IsLetterOrDigit(one) || one == '_' || one == '-' || one == '.' || one == '\\');
            return plain ? name : "'" + name.Replace("'", "''") + "'";
        }
    }
}
