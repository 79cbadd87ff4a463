using System;
using System.Collections.Generic;
using System.Management.Automation;
using PersistentChatFailover.Interop;

namespace PersistentChatFailover.Commands
{
    /// <summary>Where the journal lies, as a document. Its folders are this machine's, seen from the shell's own folder.</summary>
    internal static class JournalPlace
    {
        private const string Extension = ".journal";

        internal static Dictionary<string, object> Document(PSCmdlet cmdlet, string path, string copyPath, bool noCopy)
        {
            return new Dictionary<string, object>
            {
                { "journal_path", Full(cmdlet, "JournalPath", path) },
                { "journal_copy_path", Full(cmdlet, "JournalCopyPath", copyPath) },
                { "no_journal_copy", noCopy },
            };
        }

        private static object Full(PSCmdlet cmdlet, string parameter, string path)
        {
            if (string.IsNullOrEmpty(path))
            {
                return null;
            }
            try
            {
                string full = cmdlet.GetUnresolvedProviderPathFromPSPath(path);
                // A run from the pipeline names its own file; the folder of it is meant.
                return full.EndsWith(Extension, StringComparison.OrdinalIgnoreCase) ? System.IO.Path.GetDirectoryName(full) : full;
            }
            catch (Exception e) when (e is RuntimeException && !(e is PipelineStoppedException) || e is ArgumentException || e is NotSupportedException)
            {
                throw PChatException.BadValue("-" + parameter + " is no folder of this machine: " + e.Message, "Give a path of a local or network folder.");
            }
        }
    }
}
