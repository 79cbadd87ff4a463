using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Security.Cryptography;
using System.Text;
using PersistentChatFailover.Documents;

namespace PersistentChatFailover.Interop
{
    /// <summary>The module's files against the list of hashes that came with them, and the marks that Windows puts on downloads.</summary>
    internal sealed class PackageFiles
    {
        private const string ListName = "SHA256SUMS.txt";
        private const int Shown = 5;

        private readonly string root;

        internal PackageFiles(string root)
        {
            this.root = root;
        }

        /// <summary>Every file that is listed is there with its hash, and what runs is listed.</summary>
        internal InstallationCheck Hashes()
        {
            const string wanted = "every file as it was packed";
            string list = Path.Combine(root, ListName);
            if (!File.Exists(list))
            {
                return InstallationCheck.Of("Files", "unknown", "there is no " + ListName, wanted,
                    "This is a build from source, or no whole package. Nothing tells whether its files are as they were made.");
            }
            var faults = new List<string>();
            var listed = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
            foreach (string line in File.ReadAllLines(list, Encoding.UTF8))
            {
                if (line.Length < 67)
                {
                    continue;
                }
                string name = line.Substring(66);
                listed.Add(name);
                string path = Path.Combine(root, name.Replace('/', Path.DirectorySeparatorChar));
                if (!File.Exists(path))
                {
                    faults.Add(name + " is missing");
                }
                else if (!string.Equals(Hash(path), line.Substring(0, 64), StringComparison.OrdinalIgnoreCase))
                {
                    faults.Add(name + " was changed");
                }
            }
            faults.AddRange(All().Where(name => Runs(name) && !listed.Contains(name)).Select(name => name + " is not of this package"));
            return faults.Count == 0
                ? InstallationCheck.Of("Files", "passed", listed.Count + " files as they were packed", wanted, string.Empty)
                : InstallationCheck.Of("Files", "failed", Some(faults), wanted,
                    "Remove the module's folder and unpack the package again. A signature that you added changes a file: list it anew.");
        }

        /// <summary>Files that still bear the mark of a download: Windows PowerShell refuses to load them.</summary>
        /// <param name="isMarked">Tells it of one file.</param>
        internal InstallationCheck ZoneMarks(Func<string, bool> isMarked)
        {
            const string wanted = "none";
            List<string> marked = All().Where(name => isMarked(Path.Combine(root, name))).ToList();
            return marked.Count == 0
                ? InstallationCheck.Of("ZoneMarks", "passed", "none", wanted, string.Empty)
                : InstallationCheck.Of("ZoneMarks", "failed", Some(marked.Select(name => name + " is marked as downloaded").ToList()), wanted,
                    "Get-ChildItem -Recurse '" + root + "' | Unblock-File, then open a new shell. Better still, Unblock-File the zip before you unpack it.");
        }

        /// <summary>Names of all files, with slashes, sorted.</summary>
        private IEnumerable<string> All()
        {
            return Directory.GetFiles(root, "*", SearchOption.AllDirectories)
                .Select(path => path.Substring(root.Length).TrimStart('\\', '/').Replace('\\', '/'))
                .OrderBy(name => name, StringComparer.Ordinal);
        }

        /// <summary>True for what a shell or the system runs.</summary>
        private static bool Runs(string name)
        {
            string end = Path.GetExtension(name).ToLowerInvariant();
            return end == ".dll" || end == ".exe" || end == ".so" || end == ".ps1" || end == ".psm1" || end == ".psd1" || end == ".ps1xml";
        }

        private static string Hash(string path)
        {
            using (var algorithm = SHA256.Create())
            using (FileStream stream = File.OpenRead(path))
            {
                return BitConverter.ToString(algorithm.ComputeHash(stream)).Replace("-", string.Empty);
            }
        }

        private static string Some(List<string> all)
        {
            string some = string.Join("; ", all.Take(Shown));
            return all.Count > Shown ? some + "; and " + (all.Count - Shown) + " more" : some;
        }
    }
}
