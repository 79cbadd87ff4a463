using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.Management.Automation;

namespace PersistentChatFailover.Interop
{
    /// <summary>The parameters of a native command, from the document to the shell.</summary>
    internal static class NativeParameters
    {
        /// <summary>
        /// Adds the parameters wanted, and keeps the caller's preferences out: an outer -WhatIf does not reach a nested
        /// command, and a global $WhatIfPreference would make it a silent nothing. The name that is missing, or null.
        /// </summary>
        internal static string Add(PowerShell shell, CommandInfo found, List<object> parameters)
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
                shell.AddParameter(name, Plain(parameter["value"]));
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

        /// <summary>True for a command that says it reads, and is a Get or a Test, or is asked with -WhatIf.</summary>
        internal static bool OnlyReads(Dictionary<string, object> command)
        {
            if (!(bool)command["reads_only"])
            {
                return false;
            }
            var name = (string)command["name"];
            if (name.StartsWith("Get-", StringComparison.OrdinalIgnoreCase) || name.StartsWith("Test-", StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
            return IsWhatIf(command);
        }

        /// <summary>True for a command that is asked what it would do.</summary>
        internal static bool IsWhatIf(Dictionary<string, object> command)
        {
            foreach (Dictionary<string, object> parameter in (List<object>)command["parameters"])
            {
                if (string.Equals((string)parameter["name"], "WhatIf", StringComparison.OrdinalIgnoreCase))
                {
                    return true.Equals(parameter["value"]);
                }
            }
            return false;
        }

        /// <summary>A JSON value as a cmdlet takes it: a list as string[], an object as a hashtable, a bool as a switch.</summary>
        private static object Plain(object value)
        {
            if (value is bool)
            {
                return new SwitchParameter((bool)value);
            }
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
    }
}
